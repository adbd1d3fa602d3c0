"""Thins questions that ask the same of the same picture, and texts that repeat without end."""

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
from pydantic import Field

from lingshu_core.records import Question
from lingshu_rl.step import Desk, Item, Step

_WORD = re.compile(r"\w+")
_HASHES, _BANDS = 64, 16
_PRIME = (1 << 61) - 1


class NearDuplicates(Step):
    """Keeps the first of questions about the same pictures whose words are nearly the same."""

    likeness: float = Field(default=0.8, gt=0, le=1)
    """Share of common word triples (Jaccard) from which two texts count as the same."""
    repeats: int = Field(default=0, ge=0)
    """How often one text may be asked with one answer, whatever the picture; 0: without limit."""

    def run(self, items: Iterable[Item], desk: Desk) -> Iterator[Item]:
        """Yields the questions that are new."""
        signer = _Signer(0)
        bands: dict[tuple[object, ...], list[frozenset[int]]] = defaultdict(list)
        texts: Counter[tuple[str, str]] = Counter()
        for item in items:
            question = item.question
            pictures = tuple(sorted(image.sha256 for image in question.images))
            words = _shingles(question)
            keys = [(pictures, *band) for band in signer.bands(words)]
            if any(_alike(words, other) >= self.likeness for key in keys for other in bands[key]):
                desk.drop(item, "asks nearly the same of the same picture")
                continue
            said = (" ".join(_words(question.question)), (question.answer or "").casefold())
            texts[said] += 1
            if self.repeats and texts[said] > self.repeats:
                desk.drop(item, f"asked with the same answer more than {self.repeats} times")
                continue
            for key in keys:
                bands[key].append(words)
            yield item


class _Signer:
    """MinHash over sets of 32-bit numbers."""

    def __init__(self, seed: int) -> None:
        draw = np.random.default_rng(seed)
        self._scale = draw.integers(1, 1 << 31, size=_HASHES, dtype=np.uint64)
        self._shift = draw.integers(0, 1 << 31, size=_HASHES, dtype=np.uint64)

    def bands(self, words: frozenset[int]) -> list[tuple[int, bytes]]:
        """Returns the keys under which sets that are alike meet."""
        values = np.fromiter(words, dtype=np.uint64, count=len(words))
        hashed = (values[:, None] * self._scale + self._shift) % np.uint64(_PRIME)
        least = hashed.min(axis=0)
        rows = least.reshape(_BANDS, -1)
        return [(number, row.tobytes()) for number, row in enumerate(rows)]


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _shingles(question: Question) -> frozenset[int]:
    words = _words(" ".join((question.question, *(o.text for o in question.options))))
    if question.answer_kind != "choice":
        # The same words with another answer ask something else.
        words += _words(question.answer or "")
    triples = {" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))}
    return frozenset(zlib.crc32(triple.encode()) for triple in triples)


def _alike(one: frozenset[int], other: frozenset[int]) -> float:
    return len(one & other) / len(one | other)


STEP = NearDuplicates
