"""The interface of the operators: rules that keep, change or drop records.

A `Local` operator judges one record at a time. A `Grouping` operator compares records: in the
workers it makes a few bytes of keys of each, and one process settles from the keys alone which
records go, so that neither texts nor pictures pass through a shuffle.

One file in `operators/` defines one `OPERATOR`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np

from lingshu_core.recipe import Recipe
from lingshu_core.records import RecordBase
from lingshu_core.registry import Registry
from lingshu_data.ledger import Drop
from lingshu_data.looks import Looks


class Policy(Recipe):
    """Base of an operator's settings: which records it applies to, as the recipe has it."""

    operator: str
    """Its name among the operators."""
    label: str = ""
    """What the ledger calls this step; the operator's name where it is empty."""
    datasets: tuple[str, ...] = ()
    """Names or patterns (`llava-med*`); all where it is empty."""
    types: tuple[str, ...] = ()
    """Record types; all where it is empty."""
    domains: tuple[str, ...] = ()
    """`medical`, `general`; both where it is empty."""
    pictured: bool | None = None
    """Whether records have pictures; None for both."""

    def __hash__(self) -> int:
        """Hashes what it says, tables included, so that a step is built once in a process."""
        return hash(self.model_dump_json())

    def covers(self, record: RecordBase) -> bool:
        """Says whether the step applies to a record."""
        if self.types and record.type not in self.types:
            return False
        if self.domains and record.domain not in self.domains:
            return False
        if self.pictured is not None and self.pictured != bool(record.images):
            return False
        name = record.source.dataset
        return not self.datasets or any(fnmatchcase(name, p) for p in self.datasets)


class Item(NamedTuple):
    """A record on its way through the operators."""

    record: RecordBase
    looks: Looks


class Address(NamedTuple):
    """Where a record stands between two legs of a run."""

    shard: int
    row: int
    """Which line of the shard, from 0."""


class Settled(NamedTuple):
    """A record that goes, mostly because another stays."""

    address: Address
    kept: Address | None
    reason: str
    value: float | None


class Keys(Protocol):
    """The keys of all records that a grouping operator applies to."""

    def addresses(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns shard and index of every row of keys, uint32."""

    def column(self, name: str, part: int | None = None) -> np.ndarray:
        """Returns one column of the keys, or one part of a wide one, all shards together."""

    def records(self, addresses: Iterable[Address]) -> Iterator[tuple[Address, RecordBase]]:
        """Yields some records by their addresses, in order, reading each shard once."""


class Step(ABC):  # noqa: B024  a base without an obligation of its own
    """An operator with its settings, ready to work."""

    def evidence(self) -> dict[str, str]:
        """Returns what else decides the outcome: hashes of files, versions of libraries."""
        return {}


class Local(Step):
    """Judges one record at a time."""

    @abstractmethod
    def judge(self, item: Item) -> RecordBase | Drop:
        """Returns the record as it was or changed, or why it is dropped."""


class Grouping(Step):
    """Compares records with each other."""

    @property
    @abstractmethod
    def columns(self) -> Sequence[tuple[Any, ...]]:
        """The columns of the keys, as numpy names them; a row has a fixed number of bytes."""

    @abstractmethod
    def keys(self, item: Item) -> tuple[Any, ...] | Drop | None:
        """Returns the keys of a record, why it is dropped at once, or None to leave it alone."""

    def complete(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Returns the keys of a shard, where something is computed for many at once."""
        return rows

    @abstractmethod
    def settle(self, keys: Keys) -> Iterator[Settled]:
        """Yields the records that go, each once, with the one that stays instead, if any."""


@dataclass(frozen=True)
class Operator:
    """An operator."""

    describe: str
    settings: type[Policy]
    build: Callable[[Any], Step]
    """Makes a step of settings."""


@cache
def operator_named(name: str) -> Operator:
    """Returns an operator, looked for once in a process: looking asks every installed package."""
    return OPERATORS.get(name)


OPERATORS = Registry("lingshu_data.operators", "lingshu_data.operators", "OPERATOR", Operator)
