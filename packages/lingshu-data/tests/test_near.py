"""Near pairs are found as comparing all with all finds them."""

import numpy as np
import pytest

from lingshu_data.near import NearIndex, pairs


def planted(distance: int, count: int = 300) -> np.ndarray:
    random = np.random.default_rng(distance)
    hashes = random.integers(0, 1 << 63, count, dtype=np.uint64)
    for place in range(0, count - 1, 3):
        flips = random.choice(64, random.integers(0, distance + 3), replace=False)
        mask = np.uint64(sum(1 << int(bit) for bit in flips))
        hashes[place + 1] = hashes[place] ^ mask
    return hashes


@pytest.mark.parametrize("distance", [0, 1, 2, 3, 4, 6, 8])
def test_pairs_are_those_of_brute_force(distance: int):
    hashes = planted(distance)
    apart = np.bitwise_count(hashes[:, None] ^ hashes[None, :])
    expected = np.argwhere(np.triu(apart <= distance, 1))
    assert np.array_equal(pairs(hashes, distance), expected)
    assert len(expected) > 10


def test_nothing_is_near_nothing():
    empty = np.zeros(0, np.uint64)
    assert pairs(empty, 4).shape == (0, 2)
    assert list(NearIndex(empty).search(np.ones(3, np.uint64), 2)) == []
