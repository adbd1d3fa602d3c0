"""A command as a child process that does not outlive its parent."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from lingshu_core.errors import SettingsError

_PR_SET_PDEATHSIG = 1
_HANDED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    status: int
    """Exit status; negative where a signal ended it."""
    seconds: float
    peak_mb: float
    """Greatest resident memory in MiB, of the command or of one of its children."""


def run_command(argv: Sequence[str]) -> Result:
    """Runs a command with this process's streams and waits for it.

    The command and what it starts are a process group of their own: a signal to this process is
    handed on to all of them once, and what is left of them when the command ends is ended too.

    Args:
        argv: `python` stands for this interpreter; other names are looked up beside it first, so
            that the commands of this environment are found without activating it.

    Raises:
        SettingsError: There is no such command.
    """
    program, parent = _find(argv[0]), os.getpid()
    start = time.monotonic()
    child = subprocess.Popen(
        [program, *argv[1:]], process_group=0, preexec_fn=lambda: die_with_parent(parent)
    )

    def hand_on(number: int, _: FrameType | None) -> None:
        _signal_group(child.pid, number)

    before = {number: signal.signal(number, hand_on) for number in _HANDED_ON}
    try:
        # subprocess cannot tell the memory of one child; wait4 can.
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _signal_group(child.pid, signal.SIGTERM)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Result(child.returncode, time.monotonic() - start, usage.ru_maxrss / unit)


def die_with_parent(parent: int) -> None:
    """Makes this process get SIGTERM when the process that started it is gone, however it went.

    For the start of a worker process; on systems other than Linux it does nothing.

    Args:
        parent: Id of the starting process, which may be gone already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _find(command: str) -> str:
    if command == "python":
        return sys.executable
    beside = Path(sys.executable).parent / command
    found = str(beside) if beside.is_file() else shutil.which(command)
    if found is None:
        raise SettingsError(f"there is no command {command!r}: install the package that brings it")
    return found
