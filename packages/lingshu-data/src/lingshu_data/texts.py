"""Texts as they are compared: normalised, cut into words and n-grams, hashed."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
import xxhash

_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """Returns the words of a text: letters and digits in small letters, NFKC, nothing else."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def normalised(text: str) -> str:
    """Returns a text of which spelling variants are equal: its words with single spaces."""
    return " ".join(words_of(text))


def hash64(text: str) -> int:
    """Returns 64 bits of hash of a text, the same on every machine."""
    return xxhash.xxh3_64_intdigest(text.encode())


def word_hashes(words: Iterable[str]) -> np.ndarray:
    """Returns 64 bits of hash for each word, uint64."""
    return np.fromiter((xxhash.xxh3_64_intdigest(w.encode()) for w in words), np.uint64)


def ngram_hashes(words: Sequence[str], size: int) -> np.ndarray:
    """Returns the hashes of all runs of `size` words, uint64; none where there are fewer words."""
    hashes = word_hashes(words)
    count = len(hashes) - size + 1
    if count <= 0:
        return np.zeros(0, np.uint64)
    found = np.zeros(count, np.uint64)
    factor = np.uint64(0x9E3779B97F4A7C15)
    for step in range(size):
        found = (found ^ hashes[step : step + count]) * factor
        found ^= found >> np.uint64(29)
    return found
