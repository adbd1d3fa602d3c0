"""A command as a child process that does not outlive its parent."""

import ctypes
import os
import resource
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


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    status: int
    """Exit status; negative where a signal ended it."""
    seconds: float
    peak_mb: float
    """Greatest resident memory in MiB, of the command or of one of its children."""


def run_command(argv: Sequence[str]) -> Result:
    """Runs a command with this process's terminal and waits for it.

    Args:
        argv: `python` stands for this interpreter; other names are looked up beside it first, so
            that the commands of this environment are found without activating it.

    Raises:
        SettingsError: There is no such command.
    """
    program = _find(argv[0])
    start = time.monotonic()
    child = subprocess.Popen([program, *argv[1:]], preexec_fn=_die_with_parent)

    def forward(number: int, _: FrameType | None) -> None:
        child.send_signal(number)

    before = signal.signal(signal.SIGTERM, forward)
    try:
        # subprocess cannot tell the memory of one child; wait4 can.
        _, status, usage = _wait(child.pid)
        child.returncode = os.waitstatus_to_exitcode(status)
    finally:
        signal.signal(signal.SIGTERM, before)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Result(child.returncode, time.monotonic() - start, usage.ru_maxrss / unit)


def _wait(pid: int) -> tuple[int, int, resource.struct_rusage]:
    while True:
        try:
            return os.wait4(pid, 0)
        except KeyboardInterrupt:
            # The terminal sent it to the child too, which stops in its own way.
            continue


def _find(command: str) -> str:
    if command == "python":
        return sys.executable
    beside = Path(sys.executable).parent / command
    found = str(beside) if beside.is_file() else shutil.which(command)
    if found is None:
        raise SettingsError(f"there is no command {command!r}: install the package that brings it")
    return found


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
