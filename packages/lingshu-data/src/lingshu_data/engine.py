"""The interface of the engines: the same task over many shards, on one machine or on many.

A task writes the folder of its shard and nothing else, so that an engine may run shards in any
order, twice, or elsewhere. What is finished is known by its folder (`workdir.py`), never by the
engine: every engine therefore writes the same bytes, and a killed run goes on.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lingshu_core.console import say
from lingshu_core.errors import Stopped
from lingshu_core.registry import Registry

_DEATHS = 2
"""A record is set aside when so many workers have died at it."""
_SAME_JOB = 20
"""Deaths in one job without a culprit after which the run stops."""


class Job(Protocol):
    """One shard of the work; it can be pickled."""

    @property
    def number(self) -> int:
        """Its place among all shards, from 0."""

    @property
    def avoid(self) -> frozenset[int]:
        """Places of records that killed a worker and are set aside."""


Task = Callable[[Any], None]
"""Does one job; it can be pickled. Errors of the user's data are its own affair. One with a true
`uses_model` gets a GPU where an engine has some to share out."""


_note: Callable[[int], object] | None = None


def noting(note: Callable[[int], object] | None) -> None:
    """Sets what `at` does in this process; engines do so in their workers."""
    global _note
    _note = note


def at(index: int) -> None:
    """Notes which record of its job this worker is at, for whoever finds it dead."""
    if _note is not None:
        _note(index)


class Deaths:
    """Where workers have died: a record at which they die again is set aside."""

    def __init__(self) -> None:
        self._records: Counter[tuple[int, int]] = Counter()
        self._jobs: Counter[int] = Counter()

    def after(self, job: Any, index: int) -> Any:
        """Returns a job as it is to run again after its worker died.

        Args:
            job: The job.
            index: The record that the worker was at; -1 where that is not known.

        Raises:
            Stopped: Workers die in this job again and again.
        """
        where = f", record {index}" if index >= 0 else ""
        say(f"a worker died in shard {job.number}{where}; the shard runs again")
        self._records[job.number, index] += 1
        self._jobs[job.number] += 1
        if index >= 0 and self._records[job.number, index] >= _DEATHS:
            return replace(job, avoid=job.avoid | {index})
        if self._jobs[job.number] >= _SAME_JOB:
            raise Stopped(
                f"workers keep dying in shard {job.number}: is there enough memory? "
                "The same command goes on here"
            )
        return job


@dataclass(frozen=True)
class Engine:
    """A way of running tasks."""

    describe: str
    run: Callable[[Task, Iterable[Any], int], Iterator[int]]
    """Does every job of a stream with so many workers, holding a bounded number at a time;
    yields the numbers of those done, in any order."""


ENGINES = Registry("lingshu_data.engines", "lingshu_data.engines", "ENGINE", Engine)
