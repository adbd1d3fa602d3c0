"""`medevalkit score --explain ID`: what each profile did with one item."""

from collections.abc import Sequence
from pathlib import Path

from lingshu_core.errors import SettingsError
from lingshu_core.messages import options_text, report_text
from lingshu_core.records import Prediction, Question, RecordBase, Report
from medevalkit.answers import read_answers
from medevalkit.folder import TaskState, read_state
from medevalkit.profile import PROFILES
from medevalkit.sections import read_sections


def explain(folder: Path, item: str, profiles: Sequence[str]) -> str:
    """Returns the item, every answer to it, and how each profile reads it.

    Raises:
        SettingsError: The run has no such item.
    """
    found: list[str] = []
    for task, answered in read_answers(folder, read_state(folder)):
        for record, prediction in answered:
            if record.id == item:
                found.append(_item(task, record) if not found else "")
                found.append(_answer(task, record, prediction, profiles))
    if not found:
        raise SettingsError(f"{folder} has no item {item!r}")
    return "\n".join(found)


def _item(task: TaskState, record: RecordBase) -> str:
    lines = [f"{task.name}: {record.id}"]
    if isinstance(record, Question):
        lines.append(f"question  {record.question}")
        if record.options:
            lines.append(options_text(record))
        lines.append(f"gold      {record.answer}")
    elif isinstance(record, Report):
        lines.append(f"reference {report_text(record)}")
    lines += [f"picture   {image.path}" for image in record.images]
    return "\n".join(lines)


def _answer(
    task: TaskState, record: RecordBase, prediction: Prediction | None, profiles: Sequence[str]
) -> str:
    if prediction is None:
        return "not asked yet"
    if prediction.finish_reason == "error":
        return f"unanswered: {prediction.error}"
    lines = [f"response  {prediction.response!r} ({prediction.finish_reason})"]
    if isinstance(record, Report):
        sections = read_sections(prediction.response)
        lines += [f"findings   {sections.findings!r}", f"impression {sections.impression!r}"]
    if not isinstance(record, Question) or record.answer is None:
        return "\n".join(lines)
    for name in profiles:
        grade = PROFILES.get(name).start(task.card())(record, prediction.response)
        lines.append(f"{name:17} {grade.verdict:9} parsed {grade.parsed!r} by {grade.reason}")
    return "\n".join(lines)
