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
