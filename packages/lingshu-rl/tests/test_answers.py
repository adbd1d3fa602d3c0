"""The bars: no adversarial answer is rewarded, at most 5 % of ordinary right ones are not."""

import pytest
from rl_batteries import Sample, first_sight, samples, sittings

from lingshu_rl.reward import REWARDS

ALL = list(samples())


def _of(reward: str, battery: str, right: bool) -> list[Sample]:
    return [s for s in ALL if (s.reward, s.battery, s.right) == (reward, battery, right)]


def test_batteries_are_as_large_as_they_have_to_be():
    assert len(_of("accuracy", "adversarial", False)) >= 200
    assert len(_of("accuracy", "ordinary", True)) >= 400
    assert {s.kind for s in ALL if s.reward == "accuracy"} == {
        "choice",
        "yes_no",
        "number",
        "phrase",
        "box",
        "findings",
    }
    assert {s.reward for s in ALL} == set(REWARDS.names())


@pytest.mark.parametrize("reward", REWARDS.names())
def test_no_adversarial_answer_is_rewarded(reward: str):
    fooled = [s.response for s in _of(reward, "adversarial", False) if s.errs()]
    assert fooled == []


@pytest.mark.parametrize("reward", REWARDS.names())
def test_ordinary_answers_are_read(reward: str):
    right = _of(reward, "ordinary", True)
    missed = [s.response for s in right if s.errs()]
    assert len(missed) <= 0.05 * len(right), missed


def test_answers_once_misjudged_stay_mended():
    seen = list(first_sight())
    written = sum(
        sitting["first"][side][0] for sitting in sittings() for side in ("wrong", "right")
    )
    assert 0.95 * written <= len(seen) <= written
    assert [s.response for s in seen if s.battery != "known" and not s.right and s.errs()] == []
    assert all(s.errs() for s in seen if s.battery == "known")
    right = [s for s in seen if s.right]
    assert sum(s.errs() for s in right) <= 0.05 * len(right)


def test_ordinary_wrong_answers_are_wrong():
    assert [s.response for s in _of("accuracy", "ordinary", False) if s.errs()] == []
