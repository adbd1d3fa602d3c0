"""The order of a stage is fixed, whole, and known by its digest."""

from pathlib import Path

import numpy as np
import pytest

from lingshu_core.errors import DataError
from lingshu_train.plan import Layout, Plan, make_plan


@pytest.fixture
def plan(draw_lengths):
    """Makes plans of a small mixture."""

    def make(mode="none", *, count=103, size=8, epochs=2, seed=0) -> Plan:
        layout = Layout(mode, size, epochs, seed, capacity=8192, window=50)
        sources = {"manifest": "m"}
        return make_plan(draw_lengths(count), np.arange(count), layout=layout, sources=sources)

    return make


@pytest.mark.parametrize("mode", ["none", "step", "full"])
def test_every_epoch_takes_every_sample_once(plan, mode: str) -> None:
    found = plan(mode)
    taken = [np.concatenate(found.step(step)) for step in range(len(found))]
    whole = np.concatenate(taken)
    assert np.array_equal(np.sort(whole[:103]), np.arange(103))
    assert np.array_equal(np.sort(whole[103:]), np.arange(103))
    assert not np.array_equal(whole[:103], whole[103:])


@pytest.mark.parametrize("mode", ["none", "full"])
def test_no_step_crosses_the_border_of_an_epoch(plan, mode: str) -> None:
    found = plan(mode)
    border = [step for step in range(len(found) + 1) if found.samples(step) == 103]
    assert len(border) == 1
    sizes = np.diff(found.steps)
    assert sizes.max() == 8 and (sizes[: border[0] - 1] == 8).all()


def test_full_rows_hold_what_fits(plan, draw_lengths) -> None:
    found = plan("full")
    lengths = draw_lengths(103)
    for step in range(len(found)):
        for row in found.step(step):
            assert lengths[row].sum() <= 8192


def test_the_digest_tells_plans_apart(plan) -> None:
    first = plan()
    assert first.digest() == plan().digest()
    others = [plan(seed=1), plan("full"), plan(size=4), plan(epochs=1), plan(count=102)]
    assert len({first.digest(), *(other.digest() for other in others)}) == 6


def test_a_plan_comes_back_as_it_was_written(plan, tmp_path: Path) -> None:
    plan("full").save(tmp_path / "plan.npz")
    again = Plan.load(tmp_path / "plan.npz")
    assert again.digest() == plan("full").digest()
    assert [path.name for path in tmp_path.iterdir()] == ["plan.npz"]


def test_a_damaged_plan_is_refused(plan, tmp_path: Path) -> None:
    path = tmp_path / "plan.npz"
    plan().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="no plan that can be read"):
        Plan.load(path)


def test_an_empty_mixture_is_refused() -> None:
    layout = Layout("none", 8, 1, 0, capacity=64, window=10)
    with pytest.raises(DataError, match="no sample"):
        make_plan(np.zeros(0, np.int32), np.zeros(0, np.int64), layout=layout, sources={})
