"""One profile at work: grades answers as they come and keeps what tables need of them."""

import shutil
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from lingshu_core.digest import digest, record_id
from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import (
    Operation,
    Prediction,
    Question,
    RecordBase,
    Report,
    Score,
    Verdict,
)
from medevalkit.folder import TaskState
from medevalkit.profile import PROFILES, Grade
from medevalkit.reports import Baseline, Reports
from medevalkit.rows import Row, Scored, rows, scored
from medevalkit.settings import ReportSettings

_NO_ANSWER = Grade("unanswered", None, "no_answer")
_WITHHELD = Grade("unjudged", None, "gold_withheld")


class Scoring:
    """The scores of one profile; used as a context manager.

    Args:
        folder: The run.
        name: Of the profile.
        settings: Of the metrics for reports.
    """

    def __init__(self, folder: Path, name: str, settings: ReportSettings) -> None:
        self.name = name.replace("_", "-")
        self._profile = PROFILES.get(name)
        self._metrics = self._profile.metrics or settings.metrics
        self._settings = settings
        self._out = folder / "scores" / self.name
        made_with = digest({"profile": self.name, "reports": settings})
        producer = Producer(
            package="lingshu-medevalkit",
            version=version("lingshu-medevalkit"),
            command="medevalkit score",
            settings=made_with,
        )
        self._made = Operation(
            package=producer.package,
            version=producer.version,
            operation=f"score {self.name}",
            settings=made_with,
        )
        self._writer = ManifestWriter(self._out, producer=producer)
        self.notes: dict[str, str] = {}
        """What each metric depends on, or why it could not be computed."""

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

    def begin(self, task: TaskState) -> None:
        """Starts a task."""
        self._score = self._profile.start(task.card())
        self._answers: list[Scored] = []
        self._reports = Reports(self._profile.reports, self._metrics, self._settings)

    def take(self, record: RecordBase, prediction: Prediction) -> Verdict | None:
        """Grades one answer and returns its verdict; reports are measured at the task's end."""
        if isinstance(record, Report):
            return self._reports.take(record, prediction)
        if prediction.finish_reason == "error":
            grade = _NO_ANSWER
        elif not isinstance(record, Question) or record.answer is None:
            grade = _WITHHELD
        else:
            grade = self._score(record, prediction.response)
        self._keep(record, prediction, grade)
        return grade.verdict

    def end(self, task: str) -> list[Row]:
        """Returns the tables of a task, whose answers have all been taken."""
        for one in self._reports.measured():
            self._keep(one.report, one.prediction, one.grade, one.baselines)
        self.notes |= self._reports.notes
        return list(rows(self.name, task, self._answers))

    def _keep(
        self,
        record: RecordBase,
        prediction: Prediction,
        grade: Grade,
        baselines: dict[str, Baseline] | None = None,
    ) -> None:
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
        self._answers.append(scored(record, grade, baselines or {}))
