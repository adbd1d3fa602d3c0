"""Reports under measurement: what is compared with what, over one denominator for all metrics.

Beside every metric stand its values for two writers that saw no picture: one that always writes the
same normal report, and one that hands in the references in another order. A constant report beats
published models on ROUGE-L.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lingshu_core.answers import normalise
from lingshu_core.console import say
from lingshu_core.errors import SettingsError
from lingshu_core.messages import report_text
from lingshu_core.records import Prediction, Report, Verdict
from medevalkit.metric import METRICS, Given, Kept, Measured, NothingKept, Pair
from medevalkit.profile import Grade
from medevalkit.sections import Sections, read_sections
from medevalkit.settings import ReportSettings

CONSTANT = Sections(
    "The heart is normal in size. The lungs are clear. There is no pleural effusion or "
    "pneumothorax.",
    "No acute cardiopulmonary disease.",
)
_SEED = 0

Baseline = tuple[float, float]
"""A metric's value for the constant report and for a report of another study."""


@dataclass
class Measuring:
    """One report with its answer while its task is scored."""

    report: Report
    prediction: Prediction
    grade: Grade
    baselines: dict[str, Baseline] = field(default_factory=dict)


class Reports:
    """The reports of one task.

    Args:
        how: `sections` reads findings and impression out of a response and scores them together
            and apart; `whole` takes the response as it is, as the official kit does.
        metrics: Names of the metrics.
        settings: Of the metrics.
        kept: What models of metrics have measured.
    """

    def __init__(
        self,
        how: Literal["sections", "whole"],
        metrics: Sequence[str],
        settings: ReportSettings,
        kept: Kept | None = None,
    ) -> None:
        self._how = how
        self._metrics = metrics
        self._given = Given(settings, kept or NothingKept())
        self._all: list[Measuring] = []
        self.notes: dict[str, str] = {}
        """What each metric depends on, or why it could not be computed."""

    def take(self, report: Report, prediction: Prediction) -> Verdict | None:
        """Keeps an answer and returns whether its impression says the same, word for word."""
        grade = _impression(report, prediction)
        self._all.append(Measuring(report, prediction, grade))
        return grade.verdict

    def measured(self) -> Iterator[Measuring]:
        """Yields every answer with its metrics."""
        for name in self._metrics if self._all else ():
            try:
                self._measure(name)
            except SettingsError as error:
                self.notes[name] = f"not computed: {error}"
                say(f"{name}: not computed: {error}")
        yield from self._all

    def _measure(self, name: str) -> None:
        metric = METRICS.get(name)
        for part, chosen, pairs in self._texts():
            found, constant, shuffled = (
                metric.compute(compared, self._given) for compared in self._compared(part, pairs)
            )
            self._keep(part, chosen, (found, constant, shuffled))
            if found.note:
                self.notes[name] = found.note

    def pairs(self) -> Iterator[Pair]:
        """Yields every pair of texts that a metric would be asked about, reference by reference."""
        for part, _, pairs in self._texts() if self._all else ():
            for compared in zip(*self._compared(part, pairs), strict=True):
                yield from compared

    def _compared(self, part: str, pairs: Sequence[Pair]) -> tuple[Sequence[Pair], ...]:
        """Returns the pairs, then those of the constant report and of shuffled references."""
        return pairs, [self._constant(part, pair) for pair in pairs], _shuffled(pairs)

    def _keep(
        self,
        part: str,
        chosen: Sequence[Measuring],
        found: tuple[Measured, Measured, Measured],
    ) -> None:
        own, constant, shuffled = (measured.values for measured in found)
        for value, numbers in own.items():
            name = f"{part}.{value}" if part else value
            for index, one in enumerate(chosen):
                one.grade.metrics[name] = numbers[index]
                one.baselines[name] = (constant[value][index], shuffled[value][index])

    def _texts(self) -> Iterator[tuple[str, list[Measuring], list[Pair]]]:
        """Yields the name of a part, the reports that have it, and what is compared."""
        if self._how == "whole":
            pairs = [Pair(one.prediction.response, _official(one.report)) for one in self._all]
            yield "", self._all, pairs
            return
        said = [read_sections(one.prediction.response) for one in self._all]
        wanted = [Sections(one.report.findings, one.report.impression) for one in self._all]
        for part in ("", "findings", "impression"):
            pairs = [
                Pair(_part(s, part), _part(w, part)) for s, w in zip(said, wanted, strict=True)
            ]
            chosen = [index for index, pair in enumerate(pairs) if pair.reference.strip()]
            if chosen:
                yield part, [self._all[i] for i in chosen], [pairs[i] for i in chosen]

    def _constant(self, part: str, pair: Pair) -> Pair:
        if self._how == "whole":
            text = f"Findings: {CONSTANT.findings} Impression: {CONSTANT.impression}"
            return Pair(text, pair.reference)
        return Pair(_part(CONSTANT, part), pair.reference)


def _shuffled(pairs: Sequence[Pair]) -> list[Pair]:
    """Returns every reference answered by another one."""
    order = list(range(len(pairs)))
    random.Random(_SEED).shuffle(order)
    after = dict(zip(order, order[1:] + order[:1], strict=True))
    return [Pair(pairs[after[i]].reference, pair.reference) for i, pair in enumerate(pairs)]


def _part(sections: Sections, part: str) -> str:
    return getattr(sections, part) if part else sections.whole


def _official(report: Report) -> str:
    return f"{report_text(report)}."


def _impression(report: Report, prediction: Prediction) -> Grade:
    if prediction.finish_reason == "error":
        return Grade("unanswered", None, "no_answer")
    said = read_sections(prediction.response).impression
    if not said:
        return Grade("unparsed", None, "no_impression")
    same = normalise(said) == normalise(report.impression)
    return Grade("right" if same else "wrong", said, "impression")
