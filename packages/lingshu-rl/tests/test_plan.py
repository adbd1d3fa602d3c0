import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu_core.errors import SettingsError
from lingshu_rl.plan import make_plan
from lingshu_rl.settings import Batch


def test_papers_words_in_trl_terms():
    plan = make_plan(Batch(), [True] * 100_000, ranks=8, seed=0)
    assert (plan.rollouts, plan.updates_per_rollout, plan.updates) == (195, 4, 780)
    assert plan.micro * plan.ranks * plan.accumulation == 2048
    assert plan.micro * plan.ranks * plan.micro_per_rollout == 8192
    assert plan.left == 160


def test_update_may_count_responses():
    batch = Batch(update=128, update_unit="responses")
    assert make_plan(batch, [True] * 512, ranks=8, seed=0).updates_per_rollout == 64


def test_homogeneous_blocks():
    pictured = [number % 3 != 0 for number in range(300)]
    plan = make_plan(Batch(responses=2, rollout=8, update=8), pictured, ranks=2, seed=3)
    blocks = [plan.order[i : i + 8] for i in range(0, len(plan.order), 8)]
    assert all(len({pictured[row] for row in block}) == 1 for block in blocks)
    assert {pictured[block[0]] for block in blocks} == {True, False}


def test_seed_decides_the_order():
    batch = Batch(responses=2, rollout=4, update=4)
    orders = {make_plan(batch, [True] * 64, ranks=1, seed=s).order for s in (0, 0, 1)}
    assert len(orders) == 2


def test_easy_to_hard():
    ease = [row % 7 / 7 for row in range(28)]
    batch = Batch(responses=2, rollout=4, update=4, order="easy_to_hard")
    plan = make_plan(batch, [True] * 28, ranks=1, seed=0, ease=ease)
    means = [sum(ease[r] for r in plan.order[i : i + 4]) for i in range(0, 28, 4)]
    assert means == sorted(means, reverse=True)
    assert len(set(plan.order)) == 28


def test_reuse_makes_more_updates():
    plan = make_plan(Batch(responses=2, rollout=8, update=4, reuse=3), [True] * 8, ranks=1, seed=0)
    assert plan.updates == 6


@pytest.mark.parametrize(
    ("batch", "ranks", "words"),
    [
        (Batch(rollout=6), 4, "ranks = 4 does not divide"),
        (Batch(rollout=8, update=8, micro=3), 1, "batch.micro x ranks = 3 does not divide"),
        (Batch(rollout=8, update=3, micro=2), 1, "answers of an update = 48 does not divide"),
        (Batch(rollout=64, update=64), 1, "do not fill one rollout"),
    ],
)
def test_numbers_that_do_not_fit(batch: Batch, ranks: int, words: str):
    with pytest.raises(SettingsError, match=words):
        make_plan(batch, [True] * 32, ranks=ranks, seed=0)


@given(
    rollout=st.sampled_from([2, 4, 8]),
    epochs=st.integers(1, 3),
    pictured=st.lists(st.booleans(), min_size=16, max_size=64),
    seed=st.integers(0, 5),
)
def test_every_prompt_is_asked_once_an_epoch(rollout, epochs, pictured, seed):
    batch = Batch(responses=2, rollout=rollout, update=rollout, epochs=epochs)
    plan = make_plan(batch, pictured, ranks=1, seed=seed)
    whole = sum(pictured.count(kind) // rollout * rollout for kind in (True, False))
    assert len(plan.order) == whole * epochs
    first = plan.order[:whole]
    assert len(set(first)) == whole
    assert plan.left == len(pictured) - len(set(plan.order))
