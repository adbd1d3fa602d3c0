"""A pool of processes on this machine, never holding more than a few jobs at a time.

A worker that dies (the system ran out of memory, a decoder crashed) costs nothing but its shard's
second run. A record at which workers die twice is set aside, so that one broken picture cannot
stop a run. Where workers die before they have taken up anything, the run stops.
"""

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from lingshu_core.errors import Stopped
from lingshu_data.engine import Deaths, Engine, Task, at, noting

_WINDOW = 3
"""Jobs in hand for each worker: one at work, the others ready."""
_IDLE = 3
"""Pools in a row that died and had done nothing, after which the run stops."""

_trace: int | None = None


def run(task: Task, jobs: Iterable[Any], workers: int) -> Iterator[int]:
    """Runs jobs in this process where one worker is enough, else in a pool."""
    if workers <= 1:
        for job in jobs:
            task(job)
            yield job.number
        return
    with TemporaryDirectory(prefix="lingshu-") as folder:
        yield from _Pool(task, workers, Path(folder)).run(iter(jobs))


class _Pool:
    def __init__(self, task: Task, workers: int, traces: Path) -> None:
        self._task = task
        self._workers = workers
        self._traces = traces
        self._deaths = Deaths()
        self._idle = 0

    def run(self, jobs: Iterator[Any]) -> Iterator[int]:
        again: list[Any] = []
        while True:
            held: dict[Future[None], Any] = {}
            pool = ProcessPoolExecutor(
                self._workers,
                mp_context=get_context("forkserver"),
                initializer=_begin,
                initargs=(self._traces,),
            )
            try:
                yield from self._feed(pool, jobs, again, held)
                return
            except BrokenProcessPool:
                again[:0] = self._after_death(held)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
                self._forget()

    def _feed(
        self,
        pool: ProcessPoolExecutor,
        jobs: Iterator[Any],
        again: list[Any],
        held: dict[Future[None], Any],
    ) -> Iterator[int]:
        while True:
            while len(held) < _WINDOW * self._workers:
                job = again.pop(0) if again else next(jobs, None)
                if job is None:
                    break
                try:
                    held[pool.submit(_do, self._task, job)] = job
                except BrokenProcessPool:
                    again.insert(0, job)
                    raise
            if not held:
                return
            done, _ = wait(held, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                self._idle = 0
                yield held.pop(future).number

    def _after_death(self, held: dict[Future[None], Any]) -> list[Any]:
        """Returns the jobs to run again, knowing by now where the dead worker was."""
        dead = self._dead()
        self._idle = 0 if dead else self._idle + 1
        if self._idle >= _IDLE:
            raise Stopped(
                "workers die before they take up a shard: see above what they say, and whether "
                "there is enough memory. The same command goes on here"
            )
        again = []
        for future, job in held.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                continue
            if job.number in dead:
                again.append(self._deaths.after(job, dead[job.number]))
            else:
                again.append(job)
        return again

    def _dead(self) -> dict[int, int]:
        """Returns job and record of every worker that left a job unfinished."""
        found = {}
        for trace in self._traces.iterdir():
            with contextlib.suppress(OSError):
                data = trace.read_bytes()
                if len(data) == 16 and not _lives(int(trace.name)):
                    found[int.from_bytes(data[:8], "little", signed=True)] = int.from_bytes(
                        data[8:], "little", signed=True
                    )
        found.pop(-1, None)
        return found

    def _forget(self) -> None:
        """Removes the traces of a pool that has ended: who ended with it was at no fault."""
        for trace in self._traces.iterdir():
            trace.unlink(missing_ok=True)


def _do(task: Task, job: Any) -> None:
    assert _trace is not None
    os.pwrite(_trace, job.number.to_bytes(8, "little", signed=True), 0)
    at(-1)
    task(job)
    os.pwrite(_trace, (-1).to_bytes(8, "little", signed=True), 0)


def _begin(traces: Path) -> None:
    global _trace
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Before numpy is imported: small products on many threads take three times as long.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    Thread(target=_end_with_the_run, daemon=True).start()
    trace = _trace = os.open(traces / str(os.getpid()), os.O_CREAT | os.O_RDWR)
    noting(lambda index: os.pwrite(trace, index.to_bytes(8, "little", signed=True), 8))


def _end_with_the_run() -> None:
    # A run that is killed tells its workers nothing, and the fork server lives as long as they do.
    run = parent_process()
    assert run is not None
    run.join()
    os._exit(1)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):
        return " Z " not in Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    return True


ENGINE = Engine("A pool of processes on this machine", run)
