"""Commands as child processes that do not outlive their parent."""

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
from typing import Any, Self

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


class Commands:
    """Commands that run at the same time, with this process's streams.

    Each command and what it starts are a process group of their own: a signal to this process is
    handed on to all of them once, and what is left of a group when its command ends is ended too.
    """

    def __init__(self) -> None:
        self._begun: dict[int, tuple[subprocess.Popen[bytes], str, float]] = {}
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._hand_on) for number in _HANDED_ON}
        return self

    def __exit__(self, *_: object) -> None:
        for group in self._begun:
            _signal_group(group, signal.SIGTERM)
        while self._begun:
            self.next()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __len__(self) -> int:
        """Returns how many are running."""
        return len(self._begun)

    def start(self, name: str, argv: Sequence[str], *, threads: int | None = None) -> None:
        """Starts a command.

        Args:
            name: To tell it from the others.
            argv: `python` stands for this interpreter; other names are looked up beside it first,
                so that the commands of this environment are found without activating it.
            threads: How many threads its arithmetic may take, where the user has not said; None
                leaves that to it.

        Raises:
            SettingsError: There is no such command.
        """
        program, parent = _find(argv[0]), os.getpid()
        environment = dict(os.environ)
        if threads is not None:
            environment.setdefault("OMP_NUM_THREADS", str(threads))
        child = subprocess.Popen(
            [program, *argv[1:]],
            env=environment,
            process_group=0,
            preexec_fn=lambda: die_with_parent(parent),
        )
        self._begun[child.pid] = child, name, time.monotonic()

    def next(self) -> tuple[str, Result]:
        """Waits until a command ends, and returns its name and how it ended."""
        while True:
            # subprocess cannot tell the memory of one child; wait4 can.
            pid, status, usage = os.wait4(-1, 0)
            if pid in self._begun:
                break
        child, name, started = self._begun.pop(pid)
        child.returncode = os.waitstatus_to_exitcode(status)
        _signal_group(pid, signal.SIGTERM)
        unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
        seconds = time.monotonic() - started
        return name, Result(child.returncode, seconds, usage.ru_maxrss / unit)

    def _hand_on(self, number: int, _: FrameType | None) -> None:
        for group in self._begun:
            _signal_group(group, number)


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
