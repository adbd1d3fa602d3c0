"""The interface of the engines: the same task over many shards, on one machine or on many.

A task writes the folder of its shard and nothing else, so that an engine may run shards in any
order, twice, or elsewhere. What is finished is known by its folder (`workdir.py`), never by the
engine: every engine therefore writes the same bytes, and a killed run goes on.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from lingshu_core.registry import Registry


class Job(Protocol):
    """One shard of the work; it can be pickled."""

    @property
    def number(self) -> int:
        """Its place among all shards, from 0."""

    @property
    def avoid(self) -> frozenset[int]:
        """Places of records that killed a worker and are set aside."""


Task = Callable[[Any], None]
"""Does one job; it can be pickled. Errors of the user's data are its own affair."""


@dataclass(frozen=True)
class Engine:
    """A way of running tasks."""

    describe: str
    run: Callable[[Task, Iterable[Any], int], Iterator[int]]
    """Does every job of a stream with so many workers, holding a bounded number at a time;
    yields the numbers of those done, in any order."""


ENGINES = Registry("lingshu_data.engines", "lingshu_data.engines", "ENGINE", Engine)
