"""Evaluation sets as an index of hashes that training records are looked up in.

Of pictures it holds SHA-256 and perceptual hash, of texts the hash of the whole normalised text, of
its runs of 13 words, and a MinHash signature. A run that stands in several items (a question form,
a boilerplate sentence) proves nothing and is left out: that is where most false alarms come from.
What a signature finds is compared by its pairs of words: two texts of which four in five pairs are
the same are one text with a word changed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from lingshu_core.manifest import Manifest, broken_line
from lingshu_core.records import RECORD, RecordBase
from lingshu_data.engine import ENGINES
from lingshu_data.hashing import Hashed
from lingshu_data.keyfile import save_array
from lingshu_data.looks import Looks
from lingshu_data.minhash import Signer, band_keys, bands_for
from lingshu_data.near import NearIndex
from lingshu_data.pictures import Unreadable
from lingshu_data.settings import Running
from lingshu_data.shards import ShardJob, cut
from lingshu_data.texts import hash64, jaccard, ngram_hashes, words_of
from lingshu_data.workdir import finishing, read_json, write_json

RUN = 13
"""Words of a run whose recurrence is no chance."""
_LEAST_WORDS = 5
"""A text with fewer words is equal to others by chance."""
_MOST_ITEMS = 3
"""A run of words in more items than this is a form of words."""


_PAIR = 2
"""Words of a run where texts are compared as wholes."""
_LEAST_SIGNED = 8
"""A text with fewer words is a form of words when all but one of them agree."""
_ALIKE = 0.8
"""Least Jaccard similarity of texts that are almost the same."""
_BANDS, _ROWS = bands_for(128, _ALIKE, 0.999)


class Overlap(NamedTuple):
    """An evaluation item that a record overlaps with."""

    item: str
    """Its id."""
    reason: str
    value: float | None = None


@dataclass(frozen=True)
class Task:
    """Hashes the items of one shard."""

    manifests: tuple[Path, ...]
    folder: Path

    def __call__(self, job: ShardJob) -> None:
        """Writes the shard's part of the index."""
        looks = Looks(Manifest(self.manifests[job.shard.manifest]))
        part = _Part()
        for number, line in job.shard.read():
            try:
                record = RECORD.validate_json(line)
            except ValidationError as error:
                # What cannot be read cannot be kept out: an evaluation set has to be whole.
                raise broken_line(Path(job.shard.part), number, error) from None
            part.add(record, looks)
        with finishing(self.folder / f"{job.number:06}") as folder:
            part.write(folder)


class _Part:
    """The hashes of some items, each with the item's place in `ids`."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.shas: list[tuple[str, int]] = []
        self.looks: list[tuple[int, int]] = []
        self.texts: list[tuple[int, int]] = []
        self.runs: list[np.ndarray] = []
        self.run_items: list[np.ndarray] = []
        self.signed: list[list[str]] = []
        self.signed_items: list[int] = []

    def add(self, record: RecordBase, looks: Looks) -> None:
        place = len(self.ids)
        self.ids.append(record.id)
        self.shas += [(image.sha256, place) for image in record.images]
        try:
            found = [look.hashed for look in looks.of(record)]
        except Unreadable:
            found = []
        self.looks += [(hashed.bits, place) for hashed in found if not hashed.flat]
        for text in record.texts():
            words = words_of(text)
            if len(words) >= _LEAST_WORDS:
                self.texts.append((hash64(" ".join(words)), place))
            if len(words) >= _LEAST_SIGNED:
                self.signed.append(words)
                self.signed_items.append(place)
            runs = np.unique(ngram_hashes(words, RUN))
            self.runs.append(runs)
            self.run_items.append(np.full(len(runs), place, np.int64))

    def write(self, folder: Path) -> None:
        save_array(folder / "looks.npy", np.array(self.looks, np.uint64).reshape(-1, 2))
        save_array(folder / "texts.npy", np.array(self.texts, np.uint64).reshape(-1, 2))
        empty = np.zeros(0, np.uint64)
        save_array(folder / "runs.npy", np.concatenate([empty, *self.runs]))
        save_array(
            folder / "run-items.npy", np.concatenate([empty.astype(np.int64), *self.run_items])
        )
        save_array(folder / "bands.npy", _band_keys(self.signed))
        save_array(folder / "signed-items.npy", np.array(self.signed_items, np.int64))
        pairs = [_word_pairs(words) for words in self.signed]
        save_array(folder / "pairs.npy", np.concatenate([empty, *pairs]))
        save_array(folder / "pair-counts.npy", np.array([len(found) for found in pairs], np.int64))
        write_json(folder / "names.json", {"ids": self.ids, "shas": self.shas})


def _found_in(hashes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Returns where among sorted hashes those stand that are there, each as often as it comes."""
    if not known.size:
        return np.zeros(0, np.int64)
    # Not `isin`, which would sort all that is known again for every text.
    places = np.minimum(np.searchsorted(known, hashes), known.size - 1)
    return np.asarray(places[known[places] == hashes])


def _word_pairs(words: Sequence[str]) -> np.ndarray:
    return np.unique(ngram_hashes(words, _PAIR))


@cache
def _signer() -> Signer:
    return Signer(size=_PAIR)


def _band_keys(texts: Sequence[Sequence[str]]) -> np.ndarray:
    """Returns the keys of the bands of texts, uint64 (n, bands), no two bands sharing a key."""
    keys = band_keys(_signer().sign_words(texts), _BANDS, _ROWS)
    return np.asarray(keys ^ (np.arange(_BANDS, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)))


class NearTexts:
    """Texts by the bands of their signatures.

    Args:
        keys: uint64 (n, bands).
        pairs: The hashed pairs of words of all texts, text after text.
        counts: How many pairs each text has, int64 (n,).
    """

    def __init__(self, keys: np.ndarray, pairs: np.ndarray, counts: np.ndarray) -> None:
        order = np.argsort(keys, axis=None, kind="stable")
        self._keys = keys.ravel()[order]
        self._texts = order // max(keys.shape[1], 1)
        self._pairs = pairs
        self._ends = np.cumsum(counts)
        self._counts = counts

    def most_alike(self, words: Sequence[str]) -> tuple[int, float] | None:
        """Returns the text that is most like some words and how much; None where none is."""
        probes = _band_keys([words])[0]
        first = np.searchsorted(self._keys, probes, "left")
        last = np.searchsorted(self._keys, probes, "right")
        hits = [self._texts[a:b] for a, b in zip(first, last, strict=True) if b > a]
        if not hits:
            return None
        mine = _word_pairs(words)
        alike = [
            (jaccard(mine, self._of(int(t))), -int(t)) for t in np.unique(np.concatenate(hits))
        ]
        value, text = max(alike)
        return (-text, value) if value >= _ALIKE else None

    def _of(self, text: int) -> np.ndarray:
        return self._pairs[self._ends[text] - self._counts[text] : self._ends[text]]


def build_index(paths: Sequence[Path], folder: Path, running: Running) -> None:
    """Hashes evaluation sets into a folder; goes on where it was if it was killed."""
    manifests = [Manifest(path) for path in paths]
    jobs = [ShardJob(shard) for shard in cut(manifests)]
    task = Task(tuple(paths), folder)
    left = (job for job in jobs if not (folder / f"{job.number:06}").is_dir())
    for _ in ENGINES.get(running.engine).run(task, left, running.workers):
        pass
    write_json(folder / "shards.json", len(jobs))


class EvaluationIndex:
    """An index, opened for looking up."""

    def __init__(self, folder: Path) -> None:
        self._parts = [folder / f"{n:06}" for n in range(read_json(folder / "shards.json"))]

    def same_file(self, sha256: str) -> Overlap | None:
        """Looks a picture up by its bytes."""
        place = self._shas.get(sha256)
        return None if place is None else Overlap(self._ids[place], "same picture file", 0)

    def same_picture(self, hashed: Hashed, distance: int) -> Overlap | None:
        """Looks a picture up by its looks; an even one is like any other and is not found."""
        if hashed.flat:
            return None
        index, places = self._looks
        probe = np.array([hashed.bits], np.uint64)
        hits = [pair[:, 1] for pair in index.search(probe, distance)]
        if not hits:
            return None
        near = np.concatenate(hits)
        apart = np.bitwise_count(self._bits[near] ^ probe[0])
        best = near[np.lexsort((places[near], apart))[0]]
        return Overlap(self._ids[int(places[best])], "same picture", int(apart.min()))

    def same_text(self, texts: Sequence[str]) -> Overlap | None:
        """Looks texts up: whole, then by runs of words, then by their signatures."""
        for text in texts:
            words = words_of(text)
            if len(words) < _LEAST_WORDS:
                continue
            place = self._texts.get(hash64(" ".join(words)))
            if place is not None:
                return Overlap(self._ids[place], "same text")
            runs, items = self._runs
            hits = _found_in(ngram_hashes(words, RUN), runs)
            if hits.size:
                reason = f"{RUN} words in a row"
                return Overlap(self._ids[int(items[hits[0]])], reason, len(hits))
            if len(words) >= _LEAST_SIGNED and (found := self._near.most_alike(words)):
                item, value = self._signed_items[found[0]], round(found[1], 3)
                return Overlap(self._ids[int(item)], "almost the same text", value)
        return None

    @cached_property
    def _names(self) -> list[dict[str, list[Any]]]:
        return [read_json(part / "names.json") for part in self._parts]

    @cached_property
    def _ids(self) -> list[str]:
        return [name for names in self._names for name in names["ids"]]

    def _offsets(self) -> Iterator[int]:
        offset = 0
        for names in self._names:
            yield offset
            offset += len(names["ids"])

    @cached_property
    def _shas(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for offset, names in zip(self._offsets(), self._names, strict=True):
            for sha, place in names["shas"]:
                found.setdefault(sha, offset + int(place))
        return found

    def _pairs(self, name: str) -> np.ndarray:
        """Returns hash and place of every entry of a kind, uint64 (n, 2)."""
        parts = [np.zeros((0, 2), np.uint64)]
        for offset, part in zip(self._offsets(), self._parts, strict=True):
            parts.append(np.load(part / name) + np.array([0, offset], np.uint64))
        return np.concatenate(parts)

    @cached_property
    def _looks(self) -> tuple[NearIndex, np.ndarray]:
        return NearIndex(self._bits), self._pairs("looks.npy")[:, 1]

    @cached_property
    def _bits(self) -> np.ndarray:
        return np.ascontiguousarray(self._pairs("looks.npy")[:, 0])

    @cached_property
    def _texts(self) -> dict[int, int]:
        return {int(key): int(place) for key, place in self._pairs("texts.npy")[::-1]}

    @cached_property
    def _near(self) -> NearTexts:
        keys = [np.load(part / "bands.npy") for part in self._parts]
        pairs = [np.load(part / "pairs.npy") for part in self._parts]
        counts = [np.load(part / "pair-counts.npy") for part in self._parts]
        return NearTexts(
            np.concatenate([np.zeros((0, _BANDS), np.uint64), *keys]),
            np.concatenate([np.zeros(0, np.uint64), *pairs]),
            np.concatenate([np.zeros(0, np.int64), *counts]),
        )

    @cached_property
    def _signed_items(self) -> np.ndarray:
        items = [np.load(part / "signed-items.npy") for part in self._parts]
        shifted = [part + offset for part, offset in zip(items, self._offsets(), strict=True)]
        return np.concatenate([np.zeros(0, np.int64), *shifted])

    @cached_property
    def _runs(self) -> tuple[np.ndarray, np.ndarray]:
        """Sorted runs of words that stand in few items, and the first item of each."""
        runs = np.concatenate(
            [np.zeros(0, np.uint64), *(np.load(p / "runs.npy") for p in self._parts)]
        )
        items = [np.load(part / "run-items.npy") for part in self._parts]
        shifted = [part + offset for part, offset in zip(items, self._offsets(), strict=True)]
        places = np.concatenate([np.zeros(0, np.int64), *shifted])
        known, first, number = np.unique(runs, return_index=True, return_counts=True)
        rare = number <= _MOST_ITEMS
        return known[rare], places[first[rare]]


def overlaps_by_dataset(ids: Sequence[str]) -> Counter[str]:
    """Returns how many overlaps there are with each evaluation set, by the names in the ids."""
    return Counter(name.partition("/")[0] for name in ids)
