"""`medevalkit measure`: the metrics of reports that need a model, measured once and kept."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lingshu_core.console import progress, say
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.recipe import nearest
from lingshu_core.records import Report
from medevalkit.answers import read_answers
from medevalkit.cache import Cache
from medevalkit.folder import locked, read_settings, read_state
from medevalkit.kept import CACHE_NAME, Told
from medevalkit.metric import Pair, Weights
from medevalkit.published import by_models, check_names, fingerprint, places
from medevalkit.reports import Reports
from medevalkit.settings import ReportSettings

_BATCHES = 8
"""Batches that are measured before their values go to disk; their texts are encoded once."""


@dataclass(frozen=True)
class Wanted:
    """A metric that is to be measured."""

    name: str
    weights: Weights
    places: dict[str, str]

    def told(self) -> Told:
        """Returns what its values depend on beside the texts."""
        prints = {part: fingerprint(place) for part, place in self.places.items()}
        return Told(metric=self.name, weights=prints, note=self.weights.note)


def measure(folder: Path, names: Sequence[str], given: ReportSettings) -> list[str]:
    """Measures the reports of a run by metrics that need a model, and keeps every value.

    What is measured is what `medevalkit score` compares: responses, the constant report and
    shuffled references, whole and by section. Killed at any moment, the same command goes on.

    Args:
        folder: A run, ended or not.
        names: Metrics; where there are none those whose weights `given` names, or else all that
            need a model, and what has no weights is passed over, with a word.
        given: Weights and batch size in place of those of the run's settings.

    Returns:
        What has been measured.

    Raises:
        SettingsError: A name is wrong, weights are missing, or another process works in the folder.
        DataError: The run has no reports.
    """
    with locked(folder), ExitStack() as stack:
        settings = _merged(read_settings(folder).reports, given)
        check_names(settings.weights)
        wanted = [
            Wanted(name, weights, places(weights, settings.weights))
            for name, weights in _chosen(names, settings.weights)
        ]
        pairs = _pairs(folder, settings)
        cache = stack.enter_context(Cache(folder / CACHE_NAME))
        done = []
        for one in wanted:
            try:
                _measure(one, pairs, settings, cache, folder)
                done.append(one.name)
            except SettingsError as error:
                if names:
                    raise SettingsError(f"{one.name}: {error}") from None
                say(f"{one.name}: passed over: {error}")
        if not done:
            raise SettingsError(f"{folder}: none of the metrics has its weights here")
        return done


def _measure(
    one: Wanted, pairs: Sequence[Pair], settings: ReportSettings, cache: Cache, folder: Path
) -> None:
    told = one.told()
    left = [pair for pair in pairs if cache.get(told.key(pair)) is None]
    if left:
        scorer = one.weights.open(one.places, settings)
        told.write(folder)
        size = settings.batch_size * _BATCHES
        chunks = (left[start : start + size] for start in range(0, len(left), size))
        for chunk in progress(chunks, one.name, -(-len(left) // size)):
            for pair, values in zip(chunk, scorer.measure(chunk), strict=True):
                cache.put(told.key(pair), json.dumps(values))
            cache.flush()
    told.write(folder)
    say(f"{one.name}: {len(pairs)} pairs of texts, {len(left)} measured now")


def _chosen(names: Sequence[str], given: Mapping[str, str]) -> Iterator[tuple[str, Weights]]:
    """Yields the metrics that are named, else those whose weights are, else all."""
    known = by_models()
    those = [name for name, weights in known.items() if given.keys() & weights.published.keys()]
    for name in [one.replace("_", "-") for one in names] or those or known:
        if name not in known:
            raise SettingsError(f"{name!r} is no metric with a model{nearest(name, known)}")
        yield name, known[name]


def _pairs(folder: Path, settings: ReportSettings) -> list[Pair]:
    """Returns every different pair that scoring will compare, those of one reference together."""
    found: dict[Pair, None] = {}
    for _, answered in read_answers(folder, read_state(folder)):
        reports = Reports("sections", (), settings)
        for record, prediction in answered:
            if isinstance(record, Report) and prediction is not None:
                reports.take(record, prediction)
        found |= dict.fromkeys(reports.pairs())
    if not found:
        raise DataError("has no answered report to measure", path=folder)
    return list(found)


def _merged(settings: ReportSettings, given: ReportSettings) -> ReportSettings:
    told = {name: getattr(given, name) for name in given.model_fields_set}
    return settings.model_copy(update={**told, "weights": {**settings.weights, **given.weights}})
