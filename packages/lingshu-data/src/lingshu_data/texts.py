"""Texts as they are compared: normalised, cut into words and n-grams, hashed."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
import xxhash

_WORD = re.compile(r"[^\W_]+")
_REMEMBERED = 1 << 18
"""Words whose hashes are remembered: some ten megabytes."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


def words_of(text: str) -> list[str]:
    """Returns the words of a text: letters and digits in small letters, NFKC, nothing else."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _WORD.findall(plain.lower())


def normalised(text: str) -> str:
    """Returns a text of which spelling variants are equal: its words with single spaces."""
    return " ".join(words_of(text))


def hash64(text: str) -> int:
    """Returns 64 bits of hash of a text, the same on every machine."""
    return xxhash.xxh3_64_intdigest(text.encode())


class _Hashes(dict[str, int]):
    """Hashes of words; the same few thousand come again and again."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        found = self[word] = xxhash.xxh3_64_intdigest(word.encode())
        return found


_hash_of = _Hashes()


def ngram_hashes(words: Sequence[str], size: int) -> np.ndarray:
    """Returns the hashes of all runs of `size` words, uint64.

    A text with fewer words is one run; one without words has none.
    """
    return ngrams_of_many([words], size)[0] if words else np.zeros(0, np.uint64)


def ngrams_of_many(texts: Sequence[Sequence[str]], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the hashes of the runs of words of many texts at once.

    Args:
        texts: The words of each text; none may be without words.
        size: Words of a run; a text with fewer words is one run.

    Returns:
        The hashes of all runs, text after text, and where each text begins.
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    total = int(lengths.sum())
    flat = map(_hash_of.__getitem__, chain.from_iterable(texts))
    hashes = np.fromiter(flat, np.uint64, total)
    counts = np.maximum(lengths - size + 1, 1)
    starts = np.cumsum(counts) - counts
    # Where the first word of every run stands among all words.
    first = np.arange(int(counts.sum())) + np.repeat(np.cumsum(lengths) - lengths - starts, counts)
    reach = np.minimum(lengths, size)
    found = np.zeros(len(first), np.uint64)
    for step in range(size):
        if step < int(reach.min()):
            mixed = (found ^ hashes[first + step]) * _FACTOR
            found = mixed ^ (mixed >> _SHIFT)
        else:
            inside = np.repeat(reach > step, counts)
            place = first[inside] + step
            mixed = (found[inside] ^ hashes[place]) * _FACTOR
            found[inside] = mixed ^ (mixed >> _SHIFT)
    return found, starts


def jaccard(one: np.ndarray, other: np.ndarray) -> float:
    """Returns how much two sets of hashes have in common: sorted arrays without repetitions."""
    both = np.intersect1d(one, other, assume_unique=True).size
    whole = one.size + other.size - both
    return both / whole if whole else 0.0


def texts_joined(texts: Iterable[str]) -> str:
    """Returns the texts of a record as the one text that is compared."""
    return "\n".join(texts)
