"""One profile at work: grades answers as they come and keeps what tables need of them."""

import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from lingshu_core.digest import digest, record_id
from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import (
    Dialogue,
    Judgement,
    Operation,
    Prediction,
    Question,
    RecordBase,
    Report,
    Score,
    Verdict,
)
from medevalkit.folder import TaskState
from medevalkit.kept import KeptValues
from medevalkit.profile import PROFILES, Grade
from medevalkit.reports import Baseline, Reports
from medevalkit.rows import RUBRIC, Row, Scored, rows, scored
from medevalkit.settings import ReportSettings
from medevalkit.verdicts import Judges

_NO_ANSWER = Grade("unanswered", None, "no_answer")
_WITHHELD = Grade("unjudged", None, "gold_withheld")


class Scoring:
    """The scores of one profile; used as a context manager.

    Args:
        folder: The run.
        name: Of the profile.
        settings: Of the metrics for reports.
        judges: Of open answers, opened; there may be none.
        kept: What models of metrics have measured, opened.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        settings: ReportSettings,
        judges: Judges,
        kept: KeptValues,
    ) -> None:
        self.name = name.replace("_", "-")
        self._profile = PROFILES.get(name)
        measured = dict.fromkeys([*settings.metrics, *kept.names()])
        self._metrics = self._profile.metrics or tuple(measured)
        self._settings = settings
        self._kept = kept
        self._judges = judges
        self._out = folder / "scores" / self.name
        made_with = digest(
            {
                "profile": self.name,
                "reports": settings,
                "judges": list(judges.judges.values()),
                **({"measured": list(kept.told.values())} if kept.told else {}),
            }
        )
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
        self._reports = Reports(self._profile.reports, self._metrics, self._settings, self._kept)

    def take(self, record: RecordBase, prediction: Prediction) -> Verdict | None:
        """Grades one answer and returns its verdict; reports are measured at the task's end."""
        if isinstance(record, Report):
            return self._reports.take(record, prediction)
        grade = self._graded(record, prediction)
        said = self._judges.about(record, prediction, self._profile.judged)
        judgements = said.judgements if said else ()
        if said is not None:
            metrics = grade.metrics if said.share is None else {RUBRIC: said.share}
            grade = replace(grade, verdict=said.verdict, reason="judge", metrics=metrics)
        elif isinstance(record, Dialogue) and self._judges.judges:
            # One denominator: who says nothing earns nothing.
            grade = replace(grade, metrics={RUBRIC: 0.0})
        self._keep(record, prediction, grade, judgements)
        return grade.verdict

    def _graded(self, record: RecordBase, prediction: Prediction) -> Grade:
        if prediction.finish_reason == "error":
            return _NO_ANSWER
        if not isinstance(record, Question) or record.answer is None:
            return _WITHHELD
        return self._score(record, prediction.response)

    def end(self, task: str) -> list[Row]:
        """Returns the tables of a task, whose answers have all been taken."""
        for one in self._reports.measured():
            self._keep(one.report, one.prediction, one.grade, baselines=one.baselines)
        self.notes |= self._reports.notes
        return list(rows(self.name, task, self._answers))

    def _keep(
        self,
        record: RecordBase,
        prediction: Prediction,
        grade: Grade,
        judgements: tuple[Judgement, ...] = (),
        *,
        baselines: dict[str, Baseline] | None = None,
    ) -> None:
        self._writer.write(
            Score(
                id=record_id(self.name, prediction.id),
                source=record.source,
                domain=record.domain,
                modality=record.modality,
                language=record.language,
                # Said, for a default that can be changed is copied for every record.
                tags={},
                provenance=(self._made,),
                item=record.id,
                task=prediction.task,
                model=prediction.model,
                profile=self.name,
                metrics=grade.metrics,
                parsed=grade.parsed,
                verdict=grade.verdict,
                replica=prediction.replica,
                judgements=judgements,
            )
        )
        decided = bool(judgements) and grade.verdict != "unjudged"
        self._answers.append(scored(record, grade, baselines or {}, judged=decided))
