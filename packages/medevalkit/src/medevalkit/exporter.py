"""The interface of the formats that `medevalkit export` writes, one file each."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest, is_finished
from lingshu_core.messages import report_text
from lingshu_core.records import Dialogue, Prediction, Question, RecordBase, Report, Score
from lingshu_core.registry import Registry
from medevalkit.answers import read_answers
from medevalkit.folder import RunState, TaskState, read_settings, read_state
from medevalkit.protocol import render
from medevalkit.rows import Row
from medevalkit.scores import Scores, read_scores
from medevalkit.settings import RunSettings

Answer = tuple[RecordBase, Prediction, Score]
"""An item, what was said, and how it was scored."""


@dataclass(frozen=True)
class Export:
    """A scored run under one profile, as the formats take it.

    Args:
        folder: The run.
        profile: Whose verdicts are written.
    """

    folder: Path
    profile: str

    @cached_property
    def state(self) -> RunState:
        """What the run came to."""
        return read_state(self.folder)

    @cached_property
    def settings(self) -> RunSettings:
        """What was asked for."""
        return read_settings(self.folder)

    @cached_property
    def scores(self) -> Scores:
        """The tables; DataError where the run was not scored under the profile."""
        found = read_scores(self.folder)
        if self.profile not in {row.profile for row in found.rows}:
            raise DataError(
                f"was not scored under {self.profile}: give `medevalkit score {self.folder} "
                f"--profile {self.profile}` first",
                path=self.folder,
            )
        return found

    @property
    def created(self) -> str:
        """When the run ended, in UTC as ISO 8601 writes it: the only clock that is looked at."""
        if not is_finished(self.folder / "predictions"):
            raise DataError("has not ended: give the run's command again", path=self.folder)
        header = Manifest(self.folder / "predictions").header
        assert header is not None
        return header.created

    def tasks(self) -> Iterator[tuple[TaskState, Iterator[Answer]]]:
        """Yields the tasks with their answers, in the order of the items."""
        for task, answered in read_answers(self.folder, self.state):
            scores = {
                (score.item, score.replica): score
                for score in Manifest(self.folder / "scores" / self.profile).of(Score)
                if score.task == task.name
            }
            yield (
                task,
                (
                    (record, said, scores[record.id, said.replica])
                    for record, said in answered
                    if said is not None
                ),
            )

    def whole(self, task: str) -> Row:
        """Returns the line of the tables that holds a task as a whole."""
        return next(
            row
            for row in self.scores.rows
            if (row.task, row.by, row.profile) == (task, None, self.profile)
        )

    def prompt(self, task: TaskState, record: RecordBase) -> str:
        """Returns the words in which an item was put; empty where it could not be."""
        try:
            messages = render(self.settings.protocol, record, task.card())
        except DataError:
            return ""
        return "\n\n".join(message.text for message in messages)


def asked(record: RecordBase) -> str:
    """Returns what an item asks, without the words of a protocol."""
    if isinstance(record, Question):
        return record.question
    if isinstance(record, Dialogue):
        return "\n\n".join(turn.text for turn in record.turns)
    return "Write a report."


def gold(record: RecordBase) -> str:
    """Returns the gold of an item: letters, words or a report; empty where it is withheld."""
    if isinstance(record, Question):
        return record.answer or ""
    return report_text(record) if isinstance(record, Report) else ""


def file_name(text: str) -> str:
    """Returns a text as a name that every file system takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._") or "model"


def stamp(created: str) -> str:
    """Returns a time as lm-evaluation-harness writes it into names of files."""
    return created.partition("+")[0].replace(":", "-") + ".000000"


@dataclass(frozen=True)
class Exporter:
    """A format of results."""

    describe: str
    write: Callable[[Export, Path], list[Path]]
    """Writes into a folder and returns the files; SettingsError where an extra is missing."""


EXPORTERS = Registry("medevalkit.exporters", "medevalkit.exporters", "EXPORTER", Exporter)
"""Formats of results, one file each."""
