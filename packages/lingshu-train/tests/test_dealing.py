"""Samples are dealt to ranks whole, in rows that fit, and evenly."""

import numpy as np
import pytest

from lingshu_train.dealing import deal


def costs(lengths: np.ndarray) -> np.ndarray:
    size = lengths.astype(float)
    return size * 7.6e9 * 6 + size**2 * 28 * 3584 * 6


@pytest.fixture
def deal_step(draw_lengths):
    """Deals a step of some samples."""

    def make(mode: str, count: int, ranks: int, seed: int = 0):
        lengths = draw_lengths(count, seed)
        units = [np.array([number], dtype=np.int32) for number in range(count)]
        hands = deal(
            units, mode=mode, lengths=lengths, costs=costs(lengths), capacity=8192, ranks=ranks
        )
        return lengths, hands

    return make


@pytest.mark.parametrize("mode", ["none", "step"])
@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [1, 5, 8, 64])
def test_every_sample_goes_to_one_rank_and_all_have_as_many_rows(
    deal_step, mode: str, ranks: int, count: int
) -> None:
    lengths, hands = deal_step(mode, count, ranks)
    assert sorted(n for hand in hands for row in hand for n in row) == list(range(count))
    assert len({len(hand) for hand in hands}) == 1
    assert all(lengths[list(row)].sum() <= 8192 for hand in hands for row in hand)


def test_step_packing_takes_no_more_rows_than_it_needs(deal_step) -> None:
    lengths, hands = deal_step("step", 8, 1)
    assert len(hands[0]) <= -(-int(lengths.sum()) // 8192) + 1


@pytest.mark.parametrize("ranks", [2, 8, 64])
def test_no_rank_waits_longer_than_the_dearest_sample_takes(deal_step, ranks: int) -> None:
    taken, least, unpacked = 0.0, 0.0, 0.0
    for seed in range(20):
        lengths, hands = deal_step("step", 8 * ranks, ranks, seed)
        cost = costs(lengths)
        taken += np.array([[cost[list(row)].sum() for row in hand] for hand in hands]).max(0).sum()
        least += max(cost.sum() / ranks, cost.max())
        # What ranks that meet in every row take where rows are samples as they come.
        unpacked += cost.reshape(8, ranks).max(1).sum()
    assert taken <= 1.03 * least
    assert unpacked >= 1.3 * taken


def test_the_deal_follows_from_the_step_alone(deal_step) -> None:
    assert deal_step("step", 40, 4)[1] == deal_step("step", 40, 4)[1]
