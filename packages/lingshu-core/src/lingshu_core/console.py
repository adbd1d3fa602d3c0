"""What all command lines share: errors as exit statuses, progress, the `--set` option."""

import errno
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
_EVERY = 10.0


def new_app(summary: str) -> typer.Typer:
    """Returns a Typer application with the habits of the workspace."""
    return typer.Typer(
        help=summary,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def run_app(app: typer.Typer) -> None:
    """Runs a command line: 0 done, 2 wrong words, 3 broken data, 4 stopped and resumable."""
    try:
        app()
    except LingshuError as error:
        say(f"error: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here")
        sys.exit(_STOPPED)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        say(f"error: the disk is full ({error.filename}); make room and give the same command")
        sys.exit(_STOPPED)


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
