"""Rows are filled, and every sample stands in exactly one."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu_train.packing import pack


def fill(lengths: np.ndarray, capacity: int, window: int) -> tuple[float, np.ndarray]:
    members, starts = pack(lengths, capacity, window=window)
    assert np.array_equal(np.sort(members), np.arange(len(lengths)))
    used = np.add.reduceat(lengths[members].astype(np.int64), starts[:-1])
    assert used.max() <= capacity
    return float(lengths.sum() / (len(used) * capacity)), starts


@given(
    st.lists(st.integers(1, 64), min_size=1, max_size=80),
    st.integers(1, 30),
)
def test_every_sample_is_in_one_row_that_holds_it(lengths: list[int], window: int) -> None:
    fill(np.array(lengths, dtype=np.int32), 64, window)


def test_rows_are_999_in_a_thousand_full(draw_lengths) -> None:
    share, _ = fill(draw_lengths(200_000), 8192, 10_000)
    assert share >= 0.999


def test_a_million_samples_take_seconds_of_a_processor(draw_lengths) -> None:
    lengths = draw_lengths(1_000_000)
    started = time.process_time()
    pack(lengths, 8192, window=10_000)
    assert time.process_time() - started <= 2.5


@pytest.mark.parametrize("window", [100, 1000])
def test_the_same_lengths_give_the_same_rows(draw_lengths, window: int) -> None:
    lengths = draw_lengths(500)
    first, second = (pack(lengths, 8192, window=window) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
