"""MinHash signatures, bit for bit those of datasketch, and the groups that they lead to.

The permutations are datasketch's (scheme `affine32`); they are applied to many texts at once. The
signatures are cut into bands, and texts that agree in one band are compared. Where datasketch keeps
a dictionary for every band, here the band's keys are sorted: 8 bytes a text and band.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lingshu_data.texts import ngrams_of_many, words_of

ALGORITHM = "datasketch affine32/2.0, xxh3 of words"
_SEED = 1
_LARGEST = 1 << 21
"""Hashes permuted at once: with 128 permutations some hundred megabytes would be too much for the
caches, so that texts are taken a few at a time."""
_ALL_PAIRS = 24
"""In a group of so many texts every pair is compared; in a larger one each with its neighbours and
with the first."""


class Signer:
    """Makes signatures.

    Args:
        permutations: Length of a signature.
        size: Words of a run.
    """

    def __init__(self, permutations: int = 128, size: int = 5) -> None:
        from datasketch import MinHash

        a, b = MinHash(num_perm=permutations, seed=_SEED, scheme="affine32").permutations
        self._a, self._b = a[:, None], b[:, None]
        self._size = size

    def sign(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the signatures of texts, uint32 (n, permutations)."""
        return self.sign_words([words_of(text) for text in texts])

    def sign_words(self, words: Sequence[Sequence[str]]) -> np.ndarray:
        """Returns the signatures of texts cut into words; all ones where there is no word."""
        found = np.full((len(words), len(self._a)), 0xFFFFFFFF, np.uint32)
        places = [place for place, mine in enumerate(words) if mine]
        if places:
            hashes, starts = ngrams_of_many([words[place] for place in places], self._size)
            mixed = _finalised(hashes.astype(np.uint32))
            ends = np.r_[starts[1:], len(hashes)]
            for place, start, end in zip(places, starts, ends, strict=True):
                found[place] = self._least(mixed[start:end])
        return found

    def _least(self, hashes: np.ndarray) -> np.ndarray:
        least = np.full(len(self._a), 0xFFFFFFFF, np.uint32)
        block = max(1, _LARGEST // len(self._a) // 64)
        for start in range(0, len(hashes), block):
            values = self._a * hashes[start : start + block] + self._b
            np.minimum(least, values.min(axis=1), out=least)
        return least


def shingle_hash(words: Sequence[str]) -> int:
    """Returns the 32-bit hash of one run of words, as datasketch takes it for a `hashfunc`."""
    hashes, _ = ngrams_of_many([words], len(words))
    return int(hashes[0]) & 0xFFFFFFFF


def bands_for(permutations: int, threshold: float, recall: float) -> tuple[int, int]:
    """Returns bands and rows: the longest rows with which texts at the threshold are met.

    Two texts of Jaccard j agree in one of b bands of r rows with the chance 1 - (1 - j^r)^b. Longer
    rows bring fewer texts together in vain.

    Args:
        permutations: Length of a signature.
        threshold: The Jaccard similarity that counts.
        recall: The chance with which a pair at the threshold has to meet.
    """
    for rows in range(permutations, 1, -1):
        bands = permutations // rows
        if 1 - (1 - threshold**rows) ** bands >= recall:
            return bands, rows
    return permutations, 1


def band_keys(signatures: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """Returns a key for every band of every signature, uint64 (n, bands)."""
    cut = signatures[:, : bands * rows].reshape(len(signatures), bands, rows)
    keys = np.full(cut.shape[:2], 0x243F6A8885A308D3, np.uint64)
    for row in range(rows):
        keys = (keys ^ cut[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(32)
    return keys


def candidates(bands: Iterable[np.ndarray]) -> np.ndarray:
    """Returns the pairs of texts that agree in a band, int64 (k, 2), lower first, each once.

    Args:
        bands: The keys of all texts, one band at a time: uint64 (n,). Memory: 24 bytes a text, and
            16 a pair.
    """
    found = np.zeros(0, np.uint64)
    for keys in bands:
        fresh = [_packed(pairs) for pairs in _pairs_in(keys)]
        if fresh:
            found = np.unique(np.concatenate([found, *fresh]))
    return np.stack([found >> np.uint64(32), found & np.uint64(0xFFFFFFFF)], axis=1).astype(
        np.int64
    )


def components(count: int, pairs: np.ndarray) -> np.ndarray:
    """Returns the group of every text, int32 (count,), where pairs join texts to groups."""
    ones = np.ones(len(pairs), bool)
    graph = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1])


def _pairs_in(keys: np.ndarray) -> Iterator[np.ndarray]:
    """Yields pairs of places with equal keys."""
    order = _order(keys)
    same = keys[order[1:]] == keys[order[:-1]]
    # Runs of equal keys: where they begin in the order, and how long they are.
    edges = np.flatnonzero(np.diff(np.r_[False, same, False].astype(np.int8)))
    begins, lengths = edges[::2], edges[1::2] - edges[::2] + 1
    longest = int(lengths.max(initial=0))
    for step in range(1, min(longest, _ALL_PAIRS)):
        mine = (lengths > step) & (lengths <= _ALL_PAIRS) if step > 1 else lengths > step
        left = _spread(begins[mine], lengths[mine] - step)
        yield np.stack([order[left], order[left + step]], axis=1)
    large = lengths > _ALL_PAIRS
    if large.any():
        others = _spread(begins[large] + 1, lengths[large] - 1)
        firsts = np.repeat(begins[large], lengths[large] - 1)
        yield np.stack([order[firsts], order[others]], axis=1)


def _order(keys: np.ndarray) -> np.ndarray:
    """Returns places so that equal keys stand together.

    The upper bits of the key and the place are sorted as one number, which is several times faster
    than sorting places by keys. Keys that agree in their upper bits alone may stand among others;
    so few do that comparing neighbours loses nothing that counts.
    """
    bits = max(len(keys).bit_length(), 1)
    low = np.uint64((1 << bits) - 1)
    packed = (keys & ~low) | np.arange(len(keys), dtype=np.uint64)
    packed.sort()
    return (packed & low).astype(np.int64)


def _spread(begins: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Returns `begin, begin + 1, …` for every begin, so many as its count says."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total) + np.repeat(begins - (ends - counts), counts))


def _packed(pairs: np.ndarray) -> np.ndarray:
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    return np.asarray((low.astype(np.uint64) << np.uint64(32)) | high.astype(np.uint64))


def _finalised(hashes: np.ndarray) -> np.ndarray:
    """Returns uint32 hashes through the finalizer of MurmurHash3, as datasketch mixes them."""
    mixed = hashes ^ (hashes >> np.uint32(16))
    mixed = mixed * np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed = mixed * np.uint32(0xC2B2AE35)
    return np.asarray(mixed ^ (mixed >> np.uint32(16)))
