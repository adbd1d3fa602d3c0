"""One profile at work: grades answers as they come and keeps what tables need of them."""

import shutil
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from lingshu_core.answers.cleaning import plain
from lingshu_core.digest import digest, record_id
from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Operation, Prediction, Question, RecordBase, Report, Score, Verdict
from medevalkit.metric import METRICS
from medevalkit.profile import PROFILES, Grade
from medevalkit.rows import Row, Scored, rows, scored
from medevalkit.sections import read_sections

_NO_ANSWER = Grade("unanswered", None, "no_answer")
_WITHHELD = Grade("unjudged", None, "gold_withheld")


class Scoring:
    """The scores of one profile; used as a context manager.

    Args:
        folder: The run.
        name: Of the profile.
        metrics: What reports are measured by.
    """

    def __init__(self, folder: Path, name: str, metrics: tuple[str, ...]) -> None:
        self.name = name
        self._profile = PROFILES.get(name)
        self._metrics = {metric: METRICS.get(metric) for metric in metrics}
        self._out = folder / "scores" / name
        settings = digest({"profile": name, "metrics": metrics})
        producer = Producer(
            package="lingshu-medevalkit",
            version=version("lingshu-medevalkit"),
            command="medevalkit score",
            settings=settings,
        )
        self._made = Operation(
            package=producer.package,
            version=producer.version,
            operation=f"score {name}",
            settings=settings,
        )
        self._writer = ManifestWriter(self._out, producer=producer)
        self._answers: list[Scored] = []
        self._reports: list[tuple[Report, Prediction, Grade]] = []

    def __enter__(self) -> Self:
        if self._out.exists():
            shutil.rmtree(self._out)
        self._writer.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def take(self, record: RecordBase, prediction: Prediction) -> Verdict | None:
        """Grades one answer and returns its verdict; reports are measured at the task's end."""
        if isinstance(record, Report):
            grade = _impression(record, prediction)
            self._reports.append((record, prediction, grade))
            return grade.verdict
        assert isinstance(record, Question)
        if prediction.finish_reason == "error":
            grade = _NO_ANSWER
        elif record.answer is None:
            grade = _WITHHELD
        else:
            grade = self._profile.score(record, prediction.response)
        self._keep(record, prediction, grade)
        return grade.verdict

    def end(self, task: str) -> list[Row]:
        """Returns the tables of a task, whose answers have all been taken."""
        self._measure_reports()
        found = list(rows(self.name, task, self._answers))
        self._answers.clear()
        self._reports.clear()
        return found

    def _measure_reports(self) -> None:
        if not self._reports:
            return
        responses = [read_sections(said.response).whole for _, said, _ in self._reports]
        references = [f"{report.findings} {report.impression}" for report, _, _ in self._reports]
        values = {
            name: metric.compute(responses, references) for name, metric in self._metrics.items()
        }
        for index, (report, prediction, grade) in enumerate(self._reports):
            grade.metrics.update({name: found[index] for name, found in values.items()})
            self._keep(report, prediction, grade)

    def _keep(self, record: RecordBase, prediction: Prediction, grade: Grade) -> None:
        self._writer.write(
            Score(
                id=record_id(self.name, prediction.id),
                source=record.source,
                domain=record.domain,
                modality=record.modality,
                language=record.language,
                provenance=(self._made,),
                item=record.id,
                task=prediction.task,
                model=prediction.model,
                profile=self.name,
                metrics=grade.metrics,
                parsed=grade.parsed,
                verdict=grade.verdict,
                replica=prediction.replica,
            )
        )
        self._answers.append(scored(record, grade.verdict, grade.metrics))


def _impression(report: Report, prediction: Prediction) -> Grade:
    """Returns whether the impression says the same, word for word."""
    if prediction.finish_reason == "error":
        return Grade("unanswered", None, "no_answer", {})
    said = read_sections(prediction.response).impression
    if not said:
        return Grade("unparsed", None, "no_impression", {})
    same = _words(said) == _words(report.impression)
    return Grade("right" if same else "wrong", said, "impression", {})


def _words(text: str) -> str:
    return " ".join(plain(text).casefold().replace(".", " ").split())
