"""Of records that show the same picture keeps the best.

The paper compares perceptual hashes at Hamming distance 0 (section 2.1.4). At that distance this is
a group-by of 64-bit numbers; nearer and farther distances go through `near`. What 64 bits get wrong
is handled here:

- Slices of one volume look alike (of neighbours about one pair in eight has equal hashes) and are
  never each other's duplicates.
- Even pictures all share their hash, so they are compared by their bytes alone.
- Pictures of 16 bits are scaled to 8 first: cut off at 255, different ones would be the same white.
- A recompressed copy is often at distance 2, which `distance` allows for.
- `verify` asks a second witness: a hash of 256 bits, or the picture itself at 16 by 16.

Records with several pictures are the same where all their pictures are, in order. Memory: 63 bytes
of keys a record, and about as much again while they are sorted.
"""

import hashlib
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from lingshu_core.records import RecordBase
from lingshu_data.hashing import ALGORITHM, scaled
from lingshu_data.ledger import Drop
from lingshu_data.looks import Look
from lingshu_data.near import pairs
from lingshu_data.operator import Address, Grouping, Item, Keys, Operator, Policy, Settled
from lingshu_data.pictures import Unreadable

_THUMBNAIL = 16
_WITNESS = {"none": 0, "phash256": 32, "thumbnail": _THUMBNAIL**2}
"""Bytes of the second witness."""
_FINE = 24
"""Greatest distance of 256-bit hashes of the same picture; a recompressed one is below 12."""
_LEVELS = 6.0
"""Greatest mean difference of grey levels of thumbnails of the same picture."""


class Settings(Policy):
    """What counts as the same picture, and among which records."""

    operator: str = "picture-dedup"
    distance: int = Field(default=0, ge=0, le=8)
    """Greatest Hamming distance of the hashes."""
    within: tuple[Literal["dataset", "type", "split"], ...] = ()
    """Compare only records that agree in these; all with all where it is empty."""
    verify: Literal["none", "phash256", "thumbnail"] = "none"
    """What else has to agree; the paper asks for nothing."""


class PictureDedup(Grouping):
    """Groups records by their pictures."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def evidence(self) -> dict[str, str]:
        """Returns which hash it is."""
        return {"picture hash": ALGORITHM}

    @property
    def columns(self) -> Sequence[tuple[Any, ...]]:
        """Scope, hashes and preference of a record."""
        return (
            ("scope", "u8"),
            ("sha", "u8"),
            ("bits", "u8"),
            ("rest", "u8"),
            ("volume", "u8"),
            ("name", "u8"),
            ("rank", "u1"),
            ("pixels", "u8"),
            ("flat", "u1"),
            ("witness", "u1", (_WITNESS[self._settings.verify],)),
        )

    def keys(self, item: Item) -> tuple[Any, ...] | Drop | None:
        """Returns the keys of a record with pictures."""
        record = item.record
        if not record.images:
            return None
        try:
            looks = item.looks.of(record)
            hashes = [look.hashed for look in looks]
            witness = self._witness(looks[0])
            pixels = min(look.size[0] * look.size[1] for look in looks)
        except Unreadable as error:
            return Drop(error.reason)
        volume = record.images[0].volume
        return (
            _short(*(str(_field(record, name)) for name in self._settings.within)),
            _short(*(image.sha256 for image in record.images)),
            hashes[0].bits,
            _short(*(str(found.bits) for found in hashes[1:])) if hashes[1:] else 0,
            _short(record.source.dataset, volume) if volume else 0,
            _short(record.id),
            record.source.rank,
            pixels,
            all(found.flat for found in hashes),
            witness,
        )

    def settle(self, keys: Keys) -> Iterator[Settled]:
        """Yields the duplicates, each with the best of its group."""
        table = _Table(keys, self._settings.verify)
        left = yield from self._equal(table)
        if self._settings.distance:
            yield from self._near(table, left)

    def _witness(self, look: Look) -> np.ndarray:
        if self._settings.verify == "phash256":
            return np.frombuffer(look.hashed_finely.bits.to_bytes(32, "big"), np.uint8)
        if self._settings.verify == "thumbnail":
            return np.asarray(scaled(look.grey, _THUMBNAIL).ravel())
        return np.zeros(0, np.uint8)

    def _equal(self, table: "_Table") -> Generator[Settled, None, np.ndarray]:
        """Yields what equals something better; returns the rows that stay."""
        active = np.lexsort((*table.preference, table.key))
        stays = np.ones(len(active), bool)
        while active.size:
            key = table.key[active]
            first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
            keeper = active[np.repeat(first, np.diff(np.r_[first, active.size]))]
            copy = (active != keeper) & table.same(active, keeper)
            for row, kept in zip(active[copy], keeper[copy], strict=True):
                stays[row] = False
                yield table.settled(row, kept, 0)
            # What is of the keeper's volume, or was not confirmed, may equal something else.
            active = active[(active != keeper) & ~copy]
        return np.flatnonzero(stays)

    def _near(self, table: "_Table", left: np.ndarray) -> Iterator[Settled]:
        left = left[table.flat[left] == 0]
        order = left[np.lexsort(tuple(column[left] for column in table.preference))]
        found = pairs(table.bits[order], self._settings.distance)
        found = found[np.lexsort((found[:, 1], found[:, 0]))]
        gone = np.zeros(len(order), bool)
        # From the best on: who was dropped drops nobody, so that no chain leads far away.
        for better, worse in found:
            one, other = order[better], order[worse]
            if gone[better] or gone[worse] or table.group[one] != table.group[other]:
                continue
            if table.same(order[[worse]], order[[better]])[0]:
                gone[worse] = True
                apart = int(table.bits[one] ^ table.bits[other]).bit_count()
                yield table.settled(other, one, apart)


class _Table:
    """The keys of all records as columns."""

    def __init__(self, keys: Keys, verify: str) -> None:
        self._shards, self._indexes = keys.addresses()
        self.bits = keys.column("bits")
        self.flat = keys.column("flat")
        self._sha = keys.column("sha")
        self._volume = keys.column("volume")
        self._verify = verify
        self._witness = keys.column("witness") if verify != "none" else None
        self.group = keys.column("scope") ^ keys.column("rest")
        """Records of different scopes, or with other further pictures, are never compared."""
        looks = np.where(self.flat == 1, self._sha, self.bits)
        self.key = _mixed(looks + self.flat) ^ self.group
        pixels = keys.column("pixels")
        self.preference = (keys.column("name"), pixels.max(initial=0) - pixels, keys.column("rank"))
        """Best last: rank, then resolution, then the hash of the id."""
        self._copies = self._later(self._sha ^ self.group)

    def same(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Says of pairs with near hashes whether they are the same picture."""
        volume = self._volume[rows]
        apart = np.asarray((volume == 0) | (volume != self._volume[others]))
        if self._witness is None:
            return apart
        one, other = self._witness[rows], self._witness[others]
        if self._verify == "phash256":
            close = np.bitwise_count(one ^ other).sum(axis=1) <= _FINE
        else:
            close = np.abs(one.astype(int) - other).mean(axis=1) <= _LEVELS
        return np.asarray(apart & (close | (self._sha[rows] == self._sha[others])))

    def _later(self, keys: np.ndarray) -> np.ndarray:
        """Says of every row whether a better one has the same key."""
        order = np.lexsort((*self.preference, keys))
        found = np.zeros(len(keys), bool)
        found[order[1:]] = keys[order[1:]] == keys[order[:-1]]
        return found

    def settled(self, row: int, kept: int, apart: int) -> Settled:
        """Returns a row as the copy of another.

        Its bytes count as repeated also where what they repeat went as well: of a picture that is
        there twice beside a better one, the first copy goes for its looks, the second for its
        bytes.
        """
        if self._copies[row] or self._sha[row] == self._sha[kept]:
            reason = "same bytes"
        else:
            reason = "same perceptual hash" if apart == 0 else "near perceptual hash"
        return Settled(self._address(row), self._address(kept), reason, apart)

    def _address(self, row: int) -> Address:
        return Address(int(self._shards[row]), int(self._indexes[row]))


def _field(record: RecordBase, name: str) -> Any:
    return record.type if name == "type" else getattr(record.source, name)


def _short(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:8], "big")


def _mixed(values: np.ndarray) -> np.ndarray:
    """Spreads the bits of uint64 numbers, so that near ones do not meet in an xor."""
    mixed = (values ^ (values >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
    return np.asarray(mixed ^ (mixed >> np.uint64(29)))


OPERATOR = Operator("Copies of the same picture, by perceptual hash", Settings, PictureDedup)
