"""What all command lines share: exit statuses, progress, help."""

import errno
import os
import pty
import subprocess
import sys

import pytest
import typer

from lingshu_core.console import new_app, progress, run_app
from lingshu_core.errors import DataError, LingshuError, SettingsError, Stopped


def end_of(error, capsys, monkeypatch):
    """Returns exit status and message of a command that raises an error."""
    app = new_app("Fails.")

    @app.command()
    def fail():
        raise error

    monkeypatch.setattr(sys, "argv", ["fail"])
    with pytest.raises(SystemExit) as caught:
        run_app(app)
    return caught.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (LingshuError("no"), 1, "error: no"),
        (SettingsError("no such word"), 2, "error: no such word"),
        (DataError("is cut", path="a", line=2), 3, "error: a:2: is cut"),
        (Stopped("later"), 4, "error: later"),
        (KeyboardInterrupt(), 4, "stopped; the same command goes on from here"),
        (OSError(errno.ENOSPC, "No space left", "/a/b"), 4, "the disk is full (/a/b)"),
        (OSError(errno.EDQUOT, "Quota", "/a/b"), 4, "the disk is full"),
        (OSError(errno.EFBIG, "File too large"), 4, "the disk is full; make room"),
        (PermissionError(errno.EACCES, "Permission denied", "/a"), 2, "/a: Permission denied"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/a"), 2, "/a: Not a directory"),
    ],
)
def test_errors_become_exit_statuses(error, status, message, capsys, monkeypatch):
    found, told = end_of(error, capsys, monkeypatch)
    assert found == status and message in told and "Traceback" not in told


@pytest.mark.parametrize("error", [ValueError("a fault of ours"), OSError(errno.EIO, "I/O error")])
def test_a_fault_of_ours_is_not_hidden(error, capsys, monkeypatch):
    with pytest.raises(type(error)):
        end_of(error, capsys, monkeypatch)


def test_a_command_that_ends_well(monkeypatch):
    app = new_app("Works.")
    app.command()(lambda: None)
    monkeypatch.setattr(sys, "argv", ["work"])
    with pytest.raises(SystemExit) as caught:
        run_app(app)
    assert caught.value.code == 0


def test_a_version(monkeypatch, capsys):
    app = new_app("Works.", distribution="lingshu-core")
    app.command("do")(lambda: None)
    monkeypatch.setattr(sys, "argv", ["work", "--version"])
    with pytest.raises(SystemExit) as caught:
        run_app(app)
    assert caught.value.code == 0 and capsys.readouterr().out.startswith("lingshu-core ")


def test_no_words_print_the_help(monkeypatch, capsys):
    app = new_app("Does something.", distribution="lingshu-core")

    @app.command()
    def work(path: str):
        """Work at a path."""
        typer.echo(path)

    monkeypatch.setattr(sys, "argv", ["x"])
    with pytest.raises(SystemExit):
        run_app(app)
    out = capsys.readouterr()
    assert "Does something." in out.out + out.err and "--version" in out.out + out.err


def test_progress_is_quiet_where_it_is_quick(capsys):
    assert list(progress(iter("abc"), "reading")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""


def test_progress_tells_in_plain_lines(capsys, monkeypatch):
    monkeypatch.setattr("lingshu_core.console._EVERY", -1.0)
    list(progress("abc", "reading", 3))
    assert capsys.readouterr().err.splitlines() == [f"reading: {n} of 3" for n in range(3)]
    list(progress("a", "reading"))
    assert capsys.readouterr().err == "reading: 0\n"


def test_progress_is_a_bar_on_a_terminal():
    code = "from lingshu_core.console import progress; print(sum(progress([1, 2], 'adding', 2)))"
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs, check=True
    )
    os.close(theirs)
    with os.fdopen(ours, "rb") as terminal:
        told = terminal.read(200).decode(errors="replace")
    assert done.stdout == b"3\n" and "adding" in told


def test_importing_a_command_line_is_light():
    code = "import sys, lingshu_core.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "typer" in loaded
    assert not {"rich", "plotly", "jinja2", "pyarrow", "numpy", "torch", "PIL"} & loaded
