"""Of texts that are almost the same keeps the one of the most reliable source.

MinHash signatures bring texts together that are probably alike (paper, section 2.1.4); each pair so
found is then compared by the true Jaccard similarity of its runs of words, so that nothing is
dropped by chance. Pairs make groups, and of each group the record of the least rank stays.

Memory while groups are made: 65 bytes a record, 16 bytes a candidate pair, and the runs of words of
50,000 texts. On disk: 8 bytes a record and band, and 29 more.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from lingshu_core.records import RecordBase
from lingshu_data.ledger import Drop
from lingshu_data.minhash import (
    ALGORITHM,
    Signer,
    band_keys,
    bands_for,
    candidates,
    components,
)
from lingshu_data.operator import Address, Grouping, Item, Keys, Operator, Policy, Settled
from lingshu_data.texts import (
    hash64,
    jaccard,
    ngram_hashes,
    texts_joined,
    words_of,
)

_REMEMBERED = 50_000
_AT_ONCE = 256
"""Texts signed together."""


class Settings(Policy):
    """What counts as almost the same, and among which records."""

    operator: str = "text-dedup"
    threshold: float = Field(default=0.8, gt=0, le=1)
    """Least Jaccard similarity of the runs of words."""
    words: int = Field(default=5, ge=1)
    """Words of a run."""
    permutations: int = Field(default=128, ge=16)
    """Length of a signature."""
    recall: float = Field(default=0.999, gt=0, lt=1)
    """The chance with which a pair at the threshold is found; it sets the number of bands."""
    verify: bool = True
    """Whether candidates are compared by their words; without, some are dropped by chance."""
    within: tuple[Literal["dataset", "type", "language"], ...] = ("language",)
    """Compare only records that agree in these."""
    least_words: int = Field(default=8, ge=1)
    """Texts with fewer words are compared as wholes alone: they agree by chance."""


class TextDedup(Grouping):
    """Groups records by their texts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bands, self._rows = bands_for(
            settings.permutations, settings.threshold, settings.recall
        )
        self._signer = Signer(settings.permutations, settings.words)

    def evidence(self) -> dict[str, str]:
        """Returns how texts are hashed, and the bands."""
        return {"text hash": ALGORITHM, "bands": f"{self._bands} of {self._rows} rows"}

    @property
    def columns(self) -> Sequence[tuple[Any, ...]]:
        """Scope, hash of the whole text, bands and preference of a record."""
        return (
            ("scope", "u8"),
            ("whole", "u8"),
            ("name", "u8"),
            ("rank", "u1"),
            ("few", "u1"),
            ("bands", "u8", (self._bands,)),
        )

    def keys(self, item: Item) -> tuple[Any, ...] | Drop | None:
        """Returns the keys of a record that says something."""
        record = item.record
        words = words_of(texts_joined(record.texts()))
        if not words:
            return None
        return (
            hash64("\0".join(_value(record, name) for name in self._settings.within)),
            hash64(" ".join(words)),
            hash64(record.id),
            record.source.rank,
            len(words) < self._settings.least_words,
            words,
        )

    def complete(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Replaces the words of each row by the keys of its bands."""
        found = []
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            signatures = self._signer.sign_words([row[-1] for row in some])
            bands = band_keys(signatures, self._bands, self._rows)
            found += [(*row[:-1], mine) for row, mine in zip(some, bands, strict=True)]
        return found

    def settle(self, keys: Keys) -> Iterator[Settled]:
        """Yields all but the most reliable of each group."""
        shards, rows = keys.addresses()
        if not len(shards):
            return
        pairs, alike = self.pairs(keys)
        groups = components(len(shards), pairs)
        # The least rank first, then the hash of the id; in groups of one there is nothing to do.
        best = np.lexsort((keys.column("name"), keys.column("rank"), groups))
        first = np.r_[True, groups[best][1:] != groups[best][:-1]]
        keeper = np.empty(len(groups), np.int64)
        keeper[best] = np.repeat(best[first], np.diff(np.r_[np.flatnonzero(first), len(best)]))
        known = {(int(a), int(b)): float(j) for (a, b), j in zip(pairs, alike, strict=True)}
        whole = keys.column("whole") ^ keys.column("scope")
        order = np.lexsort((keys.column("name"), keys.column("rank"), whole))
        copies = np.zeros(len(whole), bool)
        copies[order[1:]] = whole[order[1:]] == whole[order[:-1]]
        for place in np.flatnonzero(keeper != np.arange(len(groups))):
            stays = int(keeper[place])
            value = known.get((min(place, stays), max(place, stays)))
            # The text that it repeats may have gone as well, for one that is only almost the same.
            reason = "same text" if value == 1.0 or copies[place] else "almost the same text"
            yield Settled(
                Address(int(shards[place]), int(rows[place])),
                Address(int(shards[stays]), int(rows[stays])),
                reason,
                value,
            )

    def pairs(self, keys: Keys) -> tuple[np.ndarray, np.ndarray]:
        """Returns the pairs of texts that are alike, int64 (k, 2), and how much, float64 (k,)."""
        scope = keys.column("scope")
        whole = keys.column("whole")
        few = keys.column("few").astype(bool)

        def bands() -> Iterator[np.ndarray]:
            yield whole ^ scope
            for part in range(self._bands):
                found = keys.column("bands", part) ^ scope
                # A key of its own for each short text keeps it out of every band.
                found[few] = whole[few] ^ scope[few]
                yield found

        found = candidates(bands())
        same = (whole[found[:, 0]] == whole[found[:, 1]]) & (
            scope[found[:, 0]] == scope[found[:, 1]]
        )
        if not self._settings.verify:
            return found, np.where(same, 1.0, np.nan)
        alike = np.where(same, 1.0, 0.0)
        for place in np.flatnonzero(~same & ~few[found].any(axis=1)):
            alike[place] = -1.0
        self._compare(keys, found, alike)
        real = alike >= self._settings.threshold
        return found[real], alike[real]

    def _compare(self, keys: Keys, pairs: np.ndarray, alike: np.ndarray) -> None:
        """Fills in the true similarity of the pairs marked with -1."""
        shards, rows = keys.addresses()
        open_ = np.flatnonzero(alike < 0)
        for start in range(0, len(open_), _REMEMBERED // 2):
            batch = open_[start : start + _REMEMBERED // 2]
            places = np.unique(pairs[batch])
            addresses = [Address(int(shards[p]), int(rows[p])) for p in places]
            sets: OrderedDict[Address, np.ndarray] = OrderedDict()
            for address, record in keys.records(sorted(addresses)):
                words = words_of(texts_joined(record.texts()))
                sets[address] = np.unique(ngram_hashes(words, self._settings.words))
            runs = {int(p): sets[a] for p, a in zip(places, addresses, strict=True)}
            for place in batch:
                one, other = (runs[int(p)] for p in pairs[place])
                alike[place] = jaccard(one, other)


def _value(record: RecordBase, name: str) -> str:
    found = {"dataset": record.source.dataset, "type": record.type, "language": record.language}
    return found[name]


OPERATOR = Operator("Texts that are almost the same, by MinHash", Settings, TextDedup)
