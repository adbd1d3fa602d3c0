"""What all command lines share: errors as exit statuses, progress, the `--set` option."""

import errno
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Annotated, TypeVar

import typer

from lingshu_core.errors import LingshuError

T = TypeVar("T")

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="KEY=VALUE", help="Change one setting; can be repeated."),
]
"""Type of the option by which every command changes a single setting."""

_STOPPED = 4
_INTERRUPTED = 130
"""What Typer makes of a KeyboardInterrupt."""
_WRONG_WORDS = 2
_EVERY = 10.0
_WIDTH = 100
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_WRONG_PLACE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR),
    *(errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP),
}


def new_app(summary: str, *, distribution: str | None = None) -> typer.Typer:
    """Returns a Typer application with the habits of the workspace.

    Args:
        summary: What the command is for.
        distribution: Whose version `--version` prints; None where there is no such option.
    """
    app = typer.Typer(
        help=summary,
        no_args_is_help=True,
        add_completion=False,
        # Boxes and colours would cost every `--help` 0.2 CPU seconds.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={
            "help_option_names": ["-h", "--help"],
            "terminal_width": min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns),
        },
    )
    if distribution is not None:
        _add_version(app, distribution)
    return app


def _add_version(app: typer.Typer, distribution: str) -> None:
    def show(wanted: bool) -> None:
        if wanted:
            from importlib.metadata import version

            typer.echo(f"{distribution} {version(distribution)}")
            raise typer.Exit

    @app.callback()
    def _(
        version: Annotated[
            bool,
            typer.Option("--version", is_eager=True, callback=show, help="Print the version."),
        ] = False,
    ) -> None:
        pass


def run_app(app: typer.Typer) -> None:
    """Runs a command line: 0 done, 2 wrong words, 3 broken data, 4 stopped and resumable."""
    try:
        app()
    except LingshuError as error:
        say(f"error: {error}")
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code != _INTERRUPTED:
            raise
        say("stopped; the same command goes on from here")
        sys.exit(_STOPPED)
    except OSError as error:
        sys.exit(_answer(error))


def _answer(error: OSError) -> int:
    """Says what the file system refused and returns the exit status; raises what is a fault."""
    if error.errno in _FULL:
        # Only calls that open a file know its name.
        where = f" ({error.filename})" if error.filename else ""
        say(f"error: the disk is full{where}; make room and give the same command")
        return _STOPPED
    if error.errno in _WRONG_PLACE:
        say(f"error: {error.filename2 or error.filename}: {error.strerror}")
        return _WRONG_WORDS
    raise error


def say(text: str) -> None:
    """Prints a line for people, on the error stream, so that output can be piped."""
    print(text, file=sys.stderr, flush=True)


def progress(items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Yields the items, showing a bar on a terminal and a plain line now and then elsewhere."""
    if sys.stderr.isatty():
        yield from _bar(items, label, total)
    else:
        yield from _lines(items, label, total)


def _bar(items: Iterable[T], label: str, total: int | None) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description=label, total=total, console=Console(stderr=True))


def _lines(items: Iterable[T], label: str, total: int | None) -> Iterator[T]:
    last = time.monotonic()
    for number, item in enumerate(items):
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            say(f"{label}: {number}" + (f" of {total}" if total else ""))
        yield item
