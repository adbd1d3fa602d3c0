"""What a training stage takes of the records there are: the mixtures of the paper's Table 5.

A record belongs to the first take that it fits. Caps and amounts choose by a hash of seed and id,
so that the choice is random, the same on every machine, and hardly changes when records are added.
Memory: 26 bytes of keys a record.
"""

import hashlib
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from lingshu_core.modality import Modality
from lingshu_core.recipe import Recipe
from lingshu_core.records import RecordBase
from lingshu_data.ledger import Drop
from lingshu_data.operator import Address, Grouping, Item, Keys, Operator, Policy, Settled
from lingshu_data.texts import hash64

_MODALITIES = {modality: place for place, modality in enumerate(Modality)}
_SYNTHESIS = "lingshu-synth"


class Take(Recipe):
    """One part of a mixture: which records, and how many of them."""

    name: str
    datasets: tuple[str, ...] = ()
    """Names or patterns; all where it is empty."""
    types: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)
    """Tags that a record has to have."""
    pictured: bool | None = None
    """Whether records have pictures; None for both."""
    synthetic: bool | None = None
    """Whether `lingshu-synth` made them; None for both."""
    amount: int | None = Field(default=None, ge=0)
    """Most records; None for all there are."""
    weight: float | None = Field(default=None, gt=0)
    """Its share of the mixture's amount, beside the weights of the other takes."""
    repeat: int = Field(default=1, ge=1)
    """How often each record stands in the mixture; copies have ids with `#2` and so on."""

    def fits(self, record: RecordBase) -> bool:
        """Says whether a record is of this take."""
        named = (
            (self.types, record.type),
            (self.domains, record.domain),
            (self.modalities, str(record.modality)),
        )
        if any(allowed and value not in allowed for allowed, value in named):
            return False
        if self.datasets and not any(fnmatchcase(record.source.dataset, p) for p in self.datasets):
            return False
        if self.pictured is not None and self.pictured != bool(record.images):
            return False
        if self.synthetic is not None and self.synthetic != is_synthetic(record):
            return False
        return all(record.tags.get(name) == value for name, value in self.tags.items())


class Settings(Policy):
    """A mixture."""

    operator: str = "mixture"
    stage: str
    """`shallow`, `deep`, `instruction`, `rl`, or a name of your own."""
    seed: int = Field(default=0, ge=0)
    amount: int | None = Field(default=None, ge=0)
    """Most records of the whole mixture; None for all that the takes give."""
    without_splits: tuple[str, ...] = ()
    """Publishers' splits of which nothing is taken: `test`, which is there to measure by."""
    takes: tuple[Take, ...] = Field(min_length=1)
    caps_by_dataset: dict[str, int] = Field(default_factory=dict)
    """Most records of a dataset; `*` for those not named."""
    caps_by_modality: dict[str, int] = Field(default_factory=dict)
    """Most records of a modality; `*` for those not named, text left aside."""

    @model_validator(mode="after")
    def _weights_need_an_amount(self) -> Self:
        weighted = [take.weight is not None for take in self.takes]
        if any(weighted) and (self.amount is None or not all(weighted)):
            raise ValueError(
                "weights divide the amount of the mixture: give amount and all weights"
            )
        unknown = set(self.caps_by_modality) - {"*", *Modality}
        if unknown:
            raise ValueError(f"there are no modalities {sorted(unknown)}")
        return self

    def take_of(self, record: RecordBase) -> int | None:
        """Returns the place of the take a record belongs to."""
        places = (place for place, take in enumerate(self.takes) if take.fits(record))
        return next(places, None)


class Mixture(Grouping):
    """Chooses the records of a mixture."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def columns(self) -> Sequence[tuple[Any, ...]]:
        """Take, dataset, modality and the record's place in the seeded order."""
        return (("take", "u2"), ("dataset", "u8"), ("modality", "u1"), ("order", "u8"))

    def keys(self, item: Item) -> tuple[Any, ...] | Drop | None:
        """Returns the keys of a record that fits a take."""
        record = item.record
        if record.source.split in self._settings.without_splits:
            return Drop(f"of the split {record.source.split}")
        take = self._settings.take_of(record)
        if take is None:
            return Drop("of no take")
        order = place_in_order(self._settings.seed, "choice", record.id)
        return (take, hash64(record.source.dataset), _MODALITIES[record.modality], order)

    def settle(self, keys: Keys) -> Iterator[Settled]:
        """Yields what is over a cap or an amount."""
        shards, indexes = keys.addresses()
        take, order = keys.column("take"), keys.column("order")
        left = np.argsort(order, kind="stable")
        for reason, allowed in (
            ("over the cap of its dataset", self._by_dataset(keys.column("dataset"))),
            ("over the cap of its modality", self._by_modality(keys.column("modality"))),
        ):
            left, gone = _first_of_each(left, *allowed)
            yield from _settled(gone, reason, shards, indexes)
        amounts = self._amounts(np.bincount(take[left], minlength=len(self._settings.takes)))
        left, gone = _first_of_each(left, take.astype(np.int64), amounts)
        yield from _settled(gone, "over the amount of its take", shards, indexes)
        most = self._settings.amount
        if most is not None:
            repeats = np.array([each.repeat for each in self._settings.takes])
            over = np.cumsum(repeats[take[left]]) > most
            yield from _settled(left[over], "over the amount of the mixture", shards, indexes)

    def _by_dataset(self, datasets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        caps = {hash64(name): cap for name, cap in self._settings.caps_by_dataset.items()}
        rest = self._settings.caps_by_dataset.get("*", len(datasets))
        names, places = np.unique(datasets, return_inverse=True)
        return places, np.array([caps.get(int(name), rest) for name in names], np.int64)

    def _by_modality(self, modalities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        caps = self._settings.caps_by_modality
        rest = caps.get("*", len(modalities))
        exempt = len(modalities)
        allowed = [
            caps.get(modality, exempt if modality == Modality.TEXT else rest)
            for modality in Modality
        ]
        return modalities.astype(np.int64), np.array(allowed, np.int64)

    def _amounts(self, there: np.ndarray) -> np.ndarray:
        """Returns how many records each take gives, weights met as far as there are records."""
        takes = self._settings.takes
        most = [
            n if take.amount is None else min(n, take.amount)
            for take, n in zip(takes, there.tolist(), strict=True)
        ]
        if takes[0].weight is None or self._settings.amount is None:
            return np.array(most, np.int64)
        return _divided(self._settings.amount, takes, most)


def _divided(total: int, takes: Sequence[Take], most: Sequence[int]) -> np.ndarray:
    """Divides an amount by weights; what a take cannot give goes to the others."""
    given = np.zeros(len(takes), np.int64)
    weights = np.array([take.weight for take in takes], float)
    repeats = np.array([take.repeat for take in takes])
    open_ = np.array(most) > 0
    left = total
    while left > 0 and open_.any():
        share = left * weights * open_ / (weights * open_).sum() / repeats
        wanted = np.minimum(given + share, most)
        full = open_ & (wanted >= np.array(most))
        if not full.any():
            given = np.where(open_, np.floor(wanted), given).astype(np.int64)
            break
        given = np.where(full, most, given).astype(np.int64)
        left = total - int((given * repeats).sum())
        open_ &= ~full
    return given


def _first_of_each(
    left: np.ndarray, kinds: np.ndarray, allowed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Keeps the first few of each kind.

    Args:
        left: Rows in their order.
        kinds: The kind of every row, by row.
        allowed: How many rows of each kind stay.

    Returns:
        The rows that stay and those that go, each in order.
    """
    mine = kinds[left]
    by_kind = np.argsort(mine, kind="stable")
    counts = np.bincount(mine, minlength=len(allowed))
    starts = np.cumsum(counts) - counts
    number = np.empty(len(left), np.int64)
    number[by_kind] = np.arange(len(left)) - np.repeat(starts, counts)
    stays = number < allowed[mine]
    return left[stays], left[~stays]


def _settled(
    rows: np.ndarray, reason: str, shards: np.ndarray, indexes: np.ndarray
) -> Iterator[Settled]:
    for row in rows:
        yield Settled(Address(int(shards[row]), int(indexes[row])), None, reason, None)


def place_in_order(seed: int, purpose: str, name: str) -> int:
    """Returns a record's place in a seeded order, 64 bits."""
    text = f"{seed}\0{purpose}\0{name}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def is_synthetic(record: RecordBase) -> bool:
    """Says whether a record was made by synthesis rather than collected."""
    return any(step.package == _SYNTHESIS for step in record.provenance)


OPERATOR = Operator("The records of a training stage: takes, caps, amounts", Settings, Mixture)
