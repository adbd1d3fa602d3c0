"""The interface of the metrics that compare a text with a reference, one file each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lingshu_core.registry import Registry


@dataclass(frozen=True)
class Metric:
    """A number for every pair of texts; the score of a task is its mean."""

    title: str
    """As tables head it."""
    describe: str
    compute: Callable[[Sequence[str], Sequence[str]], list[float]]
    """Takes responses and references, pairwise, and returns a value for each pair, empty responses
    counted like all others. SettingsError where weights or data are missing, saying which."""
    higher_is_better: bool = True


METRICS = Registry("medevalkit.metrics", "medevalkit.metrics", "METRIC", Metric)
