"""The interface of the metrics that compare a text with a reference, one file each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lingshu_core.errors import SettingsError
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


class Kept(Protocol):
    """Values that models have given before."""

    def read(self, metric: str, pairs: Sequence[Pair]) -> Measured:
        """Returns the values of a metric; SettingsError where they were not measured."""
        ...


class NothingKept:
    """Where nothing was measured."""

    def read(self, metric: str, pairs: Sequence[Pair]) -> Measured:
        """Says how the values come about."""
        raise SettingsError(
            f"needs a model, and scoring loads none: `medevalkit measure RUN --metric {metric}`"
        )


@dataclass(frozen=True)
class Given:
    """What a metric may use beside the texts."""

    settings: ReportSettings = field(default_factory=ReportSettings)
    kept: Kept = field(default_factory=NothingKept)


class Scorer(Protocol):
    """An opened model that measures pairs of texts."""

    def measure(self, pairs: Sequence[Pair]) -> list[dict[str, float]]:
        """Returns the values of every pair by name."""
        ...


@dataclass(frozen=True)
class Weights:
    """A metric's model: what it is published as, and how it is opened."""

    published: Mapping[str, str]
    """Names on the Hugging Face hub, by what the settings call them."""
    open: Callable[[Mapping[str, str], ReportSettings], Scorer]
    """Opens folders or hub names, one for each that is published; SettingsError where weights are
    missing, saying which and how to give them."""
    note: str
    """What the numbers depend on beside the weights."""


@dataclass(frozen=True)
class Metric:
    """A number for every pair of texts; the score of a task is its mean."""

    describe: str
    compute: Callable[[Sequence[Pair], Given], Measured]
    """SettingsError where weights, data or Java are missing, saying which and where to get them."""
    lower_is_better: bool = False
    """Tables then give the reciprocal of the mean beside it."""
    weights: Weights | None = None
    """The model that `medevalkit measure` opens for it; scoring reads what that has kept."""
    features: tuple[str, ...] = ()
    """Metrics that it is made of: measured all, it is in the tables unasked."""


METRICS = Registry("medevalkit.metrics", "medevalkit.metrics", "METRIC", Metric)


def by_model(name: str, describe: str, weights: Weights) -> Metric:
    """Returns the metric of a model, named `name`: computing it reads what was measured."""
    return Metric(describe, lambda pairs, given: given.kept.read(name, pairs), weights=weights)
