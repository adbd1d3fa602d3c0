"""Pairs of 64-bit hashes within a Hamming distance, without comparing all with all.

Two hashes at most d bits apart agree in one of four 16-bit chunks up to d // 4 bits. So the hashes
are sorted into buckets by chunk, and only buckets so close are compared. Memory: 16 bytes a hash
and a batch of candidates.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

_CHUNKS = 4
_WIDTH = 16
_BATCH = 1 << 22
"""Candidate pairs compared at once: 64 MB."""


class NearIndex:
    """Hashes prepared to be searched.

    Args:
        hashes: uint64 (n,).
    """

    def __init__(self, hashes: np.ndarray) -> None:
        self._hashes = hashes
        self._tables = []
        for chunk in range(_CHUNKS):
            values = _chunk(hashes, chunk)
            order = np.argsort(values, kind="stable")
            starts = np.searchsorted(values[order], np.arange((1 << _WIDTH) + 1))
            self._tables.append((order, starts))

    def search(self, probes: np.ndarray, distance: int) -> Iterator[np.ndarray]:
        """Yields pairs of near hashes.

        Args:
            probes: uint64 (m,).
            distance: Greatest Hamming distance, 0 to 8.

        Yields:
            int64 (k, 2): places in `probes` and among the hashes; a pair may come more than once.
        """
        if not probes.size or not self._hashes.size:
            return
        for chunk, table in enumerate(self._tables):
            mine = _chunk(probes, chunk)
            for mask in _masks(distance // _CHUNKS):
                yield from self._compare(probes, mine ^ mask, table, distance)

    def _compare(
        self,
        probes: np.ndarray,
        wanted: np.ndarray,
        table: tuple[np.ndarray, np.ndarray],
        distance: int,
    ) -> Iterator[np.ndarray]:
        order, starts = table
        first = starts[wanted]
        count = starts[wanted.astype(np.int64) + 1] - first
        ends = np.cumsum(count)
        begin = 0
        while begin < probes.size:
            done = ends[begin - 1] if begin else 0
            stop = max(int(np.searchsorted(ends, done + _BATCH, "right")), begin + 1)
            number = count[begin:stop]
            left = np.repeat(np.arange(begin, stop), number)
            inside = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
            right = order[np.repeat(first[begin:stop], number) + inside]
            near = np.bitwise_count(probes[left] ^ self._hashes[right]) <= distance
            if near.any():
                yield np.stack([left[near], right[near]], axis=1)
            begin = stop


def pairs(hashes: np.ndarray, distance: int) -> np.ndarray:
    """Returns every pair of different places with near hashes once, int64 (k, 2), lower first."""
    found = [pair[pair[:, 0] < pair[:, 1]] for pair in NearIndex(hashes).search(hashes, distance)]
    return np.unique(np.concatenate(found), axis=0) if found else np.zeros((0, 2), np.int64)


def _chunk(hashes: np.ndarray, chunk: int) -> np.ndarray:
    return ((hashes >> np.uint64(_WIDTH * chunk)) & np.uint64(0xFFFF)).astype(np.uint16)


def _masks(bits: int) -> Iterator[np.uint16]:
    for number in range(bits + 1):
        for places in combinations(range(_WIDTH), number):
            yield np.uint16(sum(1 << place for place in places))
