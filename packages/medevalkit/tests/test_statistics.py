import math
import random

import pytest

from medevalkit.statistics import mean, proportion, wilson


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
