import math
import random

import pytest

from medevalkit.statistics import (
    exchanged,
    mean,
    paired_means,
    paired_proportions,
    proportion,
    wilson,
)


def test_wilson_agrees_with_the_textbook():
    # Newcombe 1998, table I: 81 of 263 and 15 of 148.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_items_of_their_own_give_wilson():
    found = proportion([True] * 81 + [False] * 182, range(263))
    assert (found.low, found.high) == pytest.approx(wilson(81, 263))


def test_clusters_widen_the_interval():
    right = [number // 5 % 2 == 0 for number in range(200)]
    alone = proportion(right, range(200))
    together = proportion(right, [number // 5 for number in range(200)])
    assert together.value == alone.value == 0.5
    # All five of a cluster agree: 200 trials are worth 40.
    assert together.high - together.low == pytest.approx(
        wilson(20, 40)[1] - wilson(20, 40)[0], rel=0.02
    )


def test_a_perfect_score_counts_clusters_not_items():
    found = proportion([True] * 100, [number // 10 for number in range(100)])
    assert (found.low, found.high) == pytest.approx(wilson(10, 10))


def test_the_interval_covers_what_it_promises():
    rng = random.Random(1)
    covered = 0
    for _ in range(400):
        right, clusters = [], []
        for cluster in range(60):
            chance = 0.35 if rng.randrange(2) else 0.85
            for _ in range(4):
                right.append(rng.randrange(1000) < 1000 * chance)
                clusters.append(cluster)
        found = proportion(right, clusters)
        covered += found.low <= 0.6 <= found.high
    assert 0.92 <= covered / 400 <= 0.985


def test_the_bootstrap_of_a_mean_agrees_with_the_normal_interval():
    rng = random.Random(2)
    values = [rng.randrange(1000) / 1000 for _ in range(600)]
    found = mean(values, range(600))
    average = sum(values) / 600
    spread = math.sqrt(sum((value - average) ** 2 for value in values) / 599 / 600)
    assert found.value == pytest.approx(average)
    assert found.low == pytest.approx(average - 1.96 * spread, abs=0.003)
    assert found.high == pytest.approx(average + 1.96 * spread, abs=0.003)
    assert mean(values, range(600)) == found


def test_nothing_has_no_interval():
    assert math.isnan(proportion([], []).value)
    assert math.isnan(mean([], []).value)


def test_newcombe_agrees_with_the_paper():
    # Newcombe 1998, paired data, method 10 with his continuity-corrected phi.
    def pairs(both, one, other, neither):
        first = [True] * (both + one) + [False] * (other + neither)
        second = [True] * both + [False] * one + [True] * other + [False] * neither
        return second, first  # his difference is the first less the second

    found = paired_proportions(*pairs(20, 12, 2, 16), range(50))
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.0562, 0.3290), abs=1e-3)


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [(10, 0, 2 / 2**10), (5, 5, 1.0), (8, 2, 2 * (1 + 10 + 45) / 2**10), (0, 0, 1.0)],
)
def test_mcnemar_is_the_exact_binomial(gained, lost, p):
    first = [False] * gained + [True] * lost + [True] * 20
    second = [True] * gained + [False] * lost + [True] * 20
    assert paired_proportions(first, second, range(len(first))).p == pytest.approx(p)


def test_a_picture_whose_answers_all_change_is_one_observation():
    assert exchanged([5, 5, 5, 5]) == pytest.approx(2 / 2**4)
    assert exchanged([5, -5]) == 1
    # All four signs of 2 and 1: 3, 1, -1, -3.
    assert exchanged([2, 1]) == pytest.approx(0.5)


def test_many_changes_agree_with_few():
    changes = [1] * 2600 + [-1] * 2400
    exact, approximate = exchanged(changes), exchanged([*changes, 1, -1])
    assert exact == pytest.approx(approximate, rel=0.05)


def test_the_paired_interval_covers_what_it_promises():
    rng = random.Random(2)
    covered = rejected = 0
    for _ in range(400):
        first, second, clusters = [], [], []
        for cluster in range(50):
            ease = rng.uniform(0.2, 0.8)
            for _ in range(3):
                first.append(rng.uniform(0, 1) < ease)
                second.append(rng.uniform(0, 1) < ease)
                clusters.append(cluster)
        found = paired_proportions(first, second, clusters)
        covered += found.low <= 0 <= found.high
        rejected += found.p < 0.05
    assert covered >= 0.92 * 400
    assert rejected <= 0.08 * 400


def test_paired_means_draw_clusters():
    rng = random.Random(3)
    first = [rng.uniform(0, 1) for _ in range(100)]
    better = [value + 0.1 + rng.gauss(0, 0.05) for value in first]
    found = paired_means(first, better, range(100))
    assert found.low > 0.08 and found.high < 0.12 and found.p <= 0.001
    same = paired_means(first, first, range(100))
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)
    wide = paired_means(first, better, [number // 20 for number in range(100)])
    assert wide.value == found.value


def test_nothing_to_compare():
    assert paired_proportions([], [], []).p == 1
    assert paired_means([], [], []).p == 1
