"""Intervals and tests; items that share a picture are not independent and count as a cluster.

All intervals are two-sided at 95 %. Nothing here is random beyond its own fixed seed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy import ndarray

Z = 1.959963984540054
"""The 97.5 % point of the normal distribution."""
DRAWS = 2000
_CHUNK = 4_000_000
_EXACT = 5000


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(right: float, n: float) -> tuple[float, float]:
    """Returns the Wilson score interval of a proportion.

    Args:
        right: Number of successes; need not be whole.
        n: Number of trials, or the effective number; 0 gives the whole range.
    """
    if n <= 0:
        return 0.0, 1.0
    p = right / n
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def proportion(right: Sequence[bool], clusters: Sequence[object]) -> Interval:
    """Returns a proportion with Wilson's interval, widened for clusters.

    The number of trials is divided by the design effect, the ratio of the variance between
    clusters (linearised, as survey statistics do it) to that of independent trials. Where all
    trials agree the variance says nothing, and every cluster counts as one trial.

    Args:
        right: The trials.
        clusters: What each trial shares with others: a picture, a patient; as long as `right`.
    """
    n = len(right)
    if n == 0:
        return Interval(math.nan, 0.0, 1.0)
    hits = sum(right)
    p = hits / n
    sums = _per_cluster(right, clusters)
    groups = len(sums)
    effective = float(n)
    if groups < n:
        if 0 < hits < n and groups > 1:
            spread = sum((total - size * p) ** 2 for total, size in sums)
            variance = spread / n**2 * groups / (groups - 1)
            effective = min(float(n), p * (1 - p) / variance) if variance > 0 else float(n)
        else:
            effective = float(groups)
    low, high = wilson(p * effective, effective)
    return Interval(p, low, high)


def mean(values: Sequence[float], clusters: Sequence[object], *, seed: int = 0) -> Interval:
    """Returns a mean with the percentile interval of a bootstrap that draws whole clusters.

    Args:
        values: One for each item.
        clusters: What each item shares with others; as long as `values`.
        seed: Of the draws.
    """
    if not values:
        return Interval(math.nan, math.nan, math.nan)
    sums = _per_cluster(values, clusters)
    draws = _ratios(sums, seed)
    low, high = _quantiles(draws)
    return Interval(math.fsum(values) / len(values), low, high)


@dataclass(frozen=True)
class Difference(Interval):
    """A difference of two runs on the same items, the second less the first."""

    p: float
    """Of a two-sided test that there is none."""


def paired_proportions(
    first: Sequence[bool], second: Sequence[bool], clusters: Sequence[object]
) -> Difference:
    """Returns the difference of two proportions on the same items.

    The interval is Newcombe's for paired proportions (1998, method 10), its number of items divided
    by the design effect of the differences. The test is McNemar's, exact; where items share a
    cluster the two runs are exchanged cluster by cluster, which is the same for clusters of one.

    Args:
        first: Whether the first run is right on each item.
        second: The same of the second.
        clusters: What each item shares with others.
    """
    n = len(first)
    if n == 0:
        return Difference(math.nan, -1.0, 1.0, 1.0)
    changes = [int(b) - int(a) for a, b in zip(first, second, strict=True)]
    sums = _per_cluster(changes, clusters)
    low, high = _newcombe(first, second, _effective(changes, sums))
    return Difference(sum(changes) / n, low, high, exchanged([round(total) for total, _ in sums]))


def paired_means(
    first: Sequence[float], second: Sequence[float], clusters: Sequence[object]
) -> Difference:
    """Returns the difference of two means on the same items, by a bootstrap of whole clusters.

    The p value is twice the smaller share of resamples on one side of 0, at least two in all.
    """
    if not first:
        return Difference(math.nan, math.nan, math.nan, 1.0)
    changes = [b - a for a, b in zip(first, second, strict=True)]
    draws = _ratios(_per_cluster(changes, clusters), 0)
    low, high = _quantiles(draws)
    side = min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    p = min(1.0, 2 * max(1, side) / len(draws))
    return Difference(math.fsum(changes) / len(changes), low, high, p)


def exchanged(changes: Sequence[int]) -> float:
    """Returns how often a sum is as far from 0 when the sign of every summand is drawn anew.

    Exact up to a total of 5,000; beyond it by the normal distribution.
    """
    sizes = [abs(change) for change in changes if change]
    seen, most = abs(sum(changes)), sum(sizes)
    if not sizes:
        return 1.0
    if most > _EXACT:
        return math.erfc(seen / math.sqrt(2 * sum(size * size for size in sizes)))
    import numpy as np

    chances = np.zeros(2 * most + 1)
    chances[most] = 1.0
    for size in sizes:
        # Nothing is cut off: what is rolled round is still 0.
        chances = (np.roll(chances, size) + np.roll(chances, -size)) / 2
    return min(1.0, 2 * float(chances[: most - seen + 1].sum()))


def _effective(changes: Sequence[int], sums: Sequence[tuple[float, int]]) -> float:
    """Returns how many items of their own the changes are worth."""
    n, groups = len(changes), len(sums)
    if groups == n:
        return float(n)
    centre = sum(changes) / n
    alone = sum((change - centre) ** 2 for change in changes) / n**2
    spread = sum((total - size * centre) ** 2 for total, size in sums)
    if alone == 0 or groups < 2 or spread == 0:
        return float(groups)
    return min(float(n), n * alone / (spread / n**2 * groups / (groups - 1)))


def _newcombe(
    first: Sequence[bool], second: Sequence[bool], effective: float
) -> tuple[float, float]:
    n = len(first)
    scale = effective / n
    both = scale * sum(a and b for a, b in zip(first, second, strict=True))
    one, other = scale * sum(first), scale * sum(second)
    neither = effective - one - other + both
    cross = both * neither - (one - both) * (other - both)
    if cross > 0:
        cross = max(0.0, cross - effective / 2)
    norm = math.sqrt(one * (effective - one) * other * (effective - other))
    phi = cross / norm if norm else 0.0
    p, q = other / effective, one / effective
    (p_low, p_high), (q_low, q_high) = wilson(other, effective), wilson(one, effective)
    return (
        p - q - _hybrid(p - p_low, q_high - q, phi),
        p - q + _hybrid(p_high - p, q - q_low, phi),
    )


def _hybrid(left: float, right: float, phi: float) -> float:
    return math.sqrt(max(0.0, left * left - 2 * phi * left * right + right * right))


def _per_cluster(values: Sequence[float], clusters: Sequence[object]) -> list[tuple[float, int]]:
    """Returns sum and number of values of each cluster, in the order of appearance."""
    found: dict[object, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        entry = found.setdefault(cluster, [0.0, 0])
        entry[0] += value
        entry[1] += 1
    return [(total, int(size)) for total, size in found.values()]


def _ratios(sums: Sequence[tuple[float, int]], seed: int) -> "ndarray[Any, Any]":
    """Returns the mean of each of `DRAWS` resamples of the clusters."""
    import numpy as np

    table = np.array(sums, dtype=np.float64)
    groups = len(table)
    rng = np.random.default_rng(seed)
    found = []
    rows = max(1, min(DRAWS, _CHUNK // groups))
    for start in range(0, DRAWS, rows):
        drawn = rng.integers(0, groups, size=(min(rows, DRAWS - start), groups))
        found.append(table[drawn, 0].sum(axis=1) / table[drawn, 1].sum(axis=1))
    return np.concatenate(found)


def _quantiles(draws: "ndarray[Any, Any]") -> tuple[float, float]:
    import numpy as np

    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)
