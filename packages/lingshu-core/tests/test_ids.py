"""Repeated ids are found, however many there are."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu_core import ids
from lingshu_core.ids import Ids


@pytest.fixture(autouse=True)
def small_runs(monkeypatch):
    monkeypatch.setattr(ids, "_RUN", 1 << 12)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=3), max_size=60))
def test_what_stands_twice_is_found(names):
    with Ids() as found:
        for name in names:
            found.add(name)
        assert found.repeated() == {Ids.key(name) for name in names if names.count(name) > 1}


@pytest.mark.parametrize(("first", "second"), [(0, 1), (3, 19_999), (5000, 5001), (4095, 4096)])
def test_it_is_found_across_runs(first, second):
    with Ids() as found:
        for number in range(20_000):
            found.add(f"d/{first if number == second else number}")
        assert found.repeated() == {Ids.key(f"d/{first}")}


def test_none_is_found_where_there_is_none():
    with Ids() as found:
        for number in range(20_000):
            found.add(f"d/{number}")
        assert found.repeated() == set()


def test_many_repeats_are_cut_short():
    with Ids() as found:
        for number in range(1000):
            found.add(f"d/{number % 100}")
        assert len(found.repeated()) == 20


def test_memory_does_not_grow():
    peaks = []
    for count in (5000, 15_000):
        tracemalloc.start()
        with Ids() as found:
            for number in range(count):
                found.add(f"d/{number}")
            found.repeated()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.6
