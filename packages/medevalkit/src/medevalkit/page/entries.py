"""The items of one run or several, each with what every run answered and how it was read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lingshu_core.console import progress
from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest, is_finished
from lingshu_core.messages import Message, report_text
from lingshu_core.records import Dialogue, Prediction, Question, RecordBase, Report, Score
from medevalkit.answers import read_answers
from medevalkit.asking import Asking, Wanted
from medevalkit.folder import RunState, TaskState, items_path, read_settings, read_state
from medevalkit.items import kind_of
from medevalkit.page.pictures import PictureShelf
from medevalkit.rows import RUBRIC
from medevalkit.scores import Scores, read_scores

_Key = tuple[str, str, int]
"""Task, item, replica: what two runs are paired by."""
_MARK = "[picture]"


@dataclass(frozen=True)
class ScoredRun:
    """A scored run, opened for reading."""

    folder: Path
    name: str
    """What the page calls it."""
    state: RunState
    scores: Scores

    @property
    def profiles(self) -> list[str]:
        """The profiles it was scored under, in the order of its tables."""
        return list(dict.fromkeys(row.profile for row in self.scores.rows))


@dataclass(frozen=True, slots=True)
class Answer:
    """What one run answered to an item."""

    verdicts: tuple[str | None, ...]
    """By profile; None where metrics say it all or it was not scored."""
    shown: dict[str, Any]
    """What the page shows of it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item with the answers of all runs, None where a run has none."""

    task: str
    kind: str
    modality: str
    language: str
    label: str
    answers: tuple[Answer | None, ...]
    shown: dict[str, Any] = field(repr=False)


def open_runs(folders: Sequence[Path]) -> list[ScoredRun]:
    """Opens scored runs and finds a name for each: its model's, with the folder's where two agree.

    Raises:
        DataError: A folder is no run, or was not scored to the end.
    """
    states = [read_state(folder) for folder in folders]
    models = [state.model for state in states]
    runs = []
    for number, (folder, state) in enumerate(zip(folders, states, strict=True), start=1):
        name = state.model
        if models.count(name) > 1:
            name = f"{name} ({number}: {folder.resolve().name})"
        run = ScoredRun(folder, name, state, read_scores(folder))
        for profile in run.profiles:
            if not is_finished(_place(folder, profile)):
                again = f"give `medevalkit score {folder} --profile {profile}` again"
                raise DataError(f"was not scored to the end: {again}", path=folder)
        runs.append(run)
    return runs


def read_entries(runs: Sequence[ScoredRun], shelf: PictureShelf) -> Iterator[Entry]:
    """Yields the items of the first run in their order, then what only the later ones asked.

    Answers are paired by task, item and replica; what nobody has asked yet is left out.
    """
    waiting: list[dict[_Key, Answer]] = [{}]
    waiting += [{key: answer for key, _, _, answer in _read(run)} for run in runs[1:]]
    for place, run in enumerate(runs):
        mine = waiting[place]
        if place and not mine:
            continue
        pictures: dict[str, Manifest] = {}
        for key, (task, record), wanted, answer in _read(run):
            if place and key not in mine:
                continue
            mine.pop(key, None)
            answers = [None] * place + [answer]
            answers += [later.pop(key, None) for later in waiting[place + 1 :]]
            if task.name not in pictures:
                pictures[task.name] = Manifest(items_path(run.folder, task.name), root=task.root)
            yield _entry(key, record, wanted, answers, shelf.put(record, pictures[task.name]))


def _read(
    run: ScoredRun,
) -> Iterator[tuple[_Key, tuple[TaskState, RecordBase], Wanted, Answer]]:
    grades = [_grades(run.folder, profile) for profile in run.profiles]
    asking = Asking(read_settings(run.folder), run.state)
    for task, answered in read_answers(run.folder, run.state):
        for record, prediction in progress(answered, f"{run.name}: {task.name}"):
            if prediction is None:
                continue
            key = (task.name, record.id, prediction.replica)
            wanted = next(asking.wanted(task.name, record))
            read = [found.pop(key, {}) for found in grades]
            yield key, (task, record), wanted, _answer(prediction, read, wanted)


def _grades(folder: Path, profile: str) -> dict[_Key, dict[str, Any]]:
    found = Manifest(_place(folder, profile)).of(Score)
    return {(score.task, score.item, score.replica): _grade(score) for score in found}


def _place(folder: Path, profile: str) -> Path:
    return folder / "scores" / profile


def _answer(prediction: Prediction, read: list[dict[str, Any]], wanted: Wanted) -> Answer:
    shown: dict[str, Any] = {"said": prediction.response, "read": read}
    if prediction.finish_reason != "stop":
        shown["finish"] = prediction.finish_reason
    if prediction.error:
        shown["error"] = prediction.error
    if prediction.completion_tokens is not None:
        shown["tokens"] = prediction.completion_tokens
    if prediction.prompt_sha256 != wanted.prompt_sha256:
        shown["other_words"] = True
    return Answer(tuple(one.get("verdict") for one in read), shown)


def _grade(score: Score) -> dict[str, Any]:
    found: dict[str, Any] = {"verdict": score.verdict, "parsed": score.parsed}
    if score.metrics:
        found["metrics"] = {name: round(value, 4) for name, value in score.metrics.items()}
    if score.judgements:
        found["judges"] = [[one.model, one.verdict, one.raw] for one in score.judgements]
    return found


def _entry(
    key: _Key,
    record: RecordBase,
    wanted: Wanted,
    answers: Sequence[Answer | None],
    pictures: list[dict[str, str]],
) -> Entry:
    shown = {
        "id": record.id,
        "replica": key[2],
        "prompt": _prompt(wanted.messages) if not wanted.fault else wanted.fault,
        "gold": _gold(record),
        "tags": {name: value for name, value in record.tags.items() if name != RUBRIC},
        "pictures": pictures,
        "answers": [answer and answer.shown for answer in answers],
    }
    return Entry(
        task=key[0],
        kind=kind_of(record),
        modality=record.modality.value,
        language=record.language,
        label=_label(record),
        answers=tuple(answers),
        shown=shown,
    )


def _prompt(messages: Sequence[Message]) -> str:
    """Returns messages as one text; a picture is marked where words stand before it."""
    texts = []
    for message in messages:
        text = ""
        for piece in message.content:
            text += piece.text if piece.text is not None else (_MARK if text else "")
        texts.append(text if len(messages) == 1 else f"{message.role}:\n{text}")
    return "\n\n".join(texts)


def _label(record: RecordBase) -> str:
    if isinstance(record, Question):
        return record.question
    if isinstance(record, Dialogue):
        return record.turns[-1].text
    return report_text(record) if isinstance(record, Report) else record.id


def _gold(record: RecordBase) -> str:
    if isinstance(record, Report):
        return report_text(record)
    if isinstance(record, Dialogue):
        return record.tags.get(RUBRIC, "")
    if not isinstance(record, Question) or record.answer is None:
        return "withheld"
    if record.answer_kind != "choice":
        return record.answer
    return "\n".join(f"{letter}. {record.option_text(letter)}" for letter in record.answer)
