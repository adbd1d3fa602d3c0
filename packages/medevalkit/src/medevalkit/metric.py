"""The interface of the metrics that compare a text with a reference, one file each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lingshu_core.registry import Registry
from medevalkit.settings import ReportSettings


@dataclass(frozen=True, slots=True)
class Pair:
    """What a model wrote, and what it is compared with."""

    response: str
    """Empty where there was no answer."""
    reference: str


@dataclass(frozen=True)
class Measured:
    """One value for every pair, by name: an empty response has its value like all others."""

    values: dict[str, list[float]]
    note: str = ""
    """What a number depends on beside the texts: a table, weights, a tokenizer."""


@dataclass(frozen=True)
class Metric:
    """A number for every pair of texts; the score of a task is its mean."""

    describe: str
    compute: Callable[[Sequence[Pair], ReportSettings], Measured]
    """SettingsError where weights, data or Java are missing, saying which and where to get them."""
    lower_is_better: bool = False
    """Tables then give the reciprocal of the mean beside it."""


METRICS = Registry("medevalkit.metrics", "medevalkit.metrics", "METRIC", Metric)
