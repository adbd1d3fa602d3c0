"""Tasks and verdicts in the JSON of Label Studio and of Argilla."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_QUESTION = "verdict"
_KEEP = "keep"
_REJECT = "reject"
_COMMENT = "comment"


@dataclass(frozen=True)
class Task:
    """What a reviewer is shown."""

    record: str
    """Id of the record."""
    picture: str
    """As a data URL; empty where there is none."""
    text: str
    stages: str
    """The texts of the stages, one after the other."""
    modality: str


@dataclass(frozen=True)
class Given:
    """What one reviewer said about one record."""

    record: str
    reviewer: str
    keep: bool
    comment: str = ""


@dataclass(frozen=True)
class Format:
    """One tool's way of writing tasks and verdicts."""

    write: Callable[[list[Task]], dict[str, str]]
    """Returns the files to load into the tool, by name."""
    read: Callable[[Any], Iterator[Given] | None]
    """Returns the verdicts in a parsed export, or None where it is of another form."""


_LABELING = f"""<View>
  <Header value="$modality"/>
  <Image name="picture" value="$picture"/>
  <Text name="text" value="$text"/>
  <Collapse><Panel value="Stages"><Text name="stages" value="$stages"/></Panel></Collapse>
  <Choices name="{_QUESTION}" toName="text" choice="single" required="true">
    <Choice value="{_KEEP}"/>
    <Choice value="{_REJECT}"/>
  </Choices>
  <TextArea name="{_COMMENT}" toName="text" placeholder="What is wrong?"/>
</View>
"""


def _write_label_studio(tasks: list[Task]) -> dict[str, str]:
    shown = [{"data": vars(task)} for task in tasks]
    return {"tasks.json": _json(shown), "labeling.xml": _LABELING}


def _read_label_studio(data: Any) -> Iterator[Given] | None:
    if not isinstance(data, list) or not all(
        isinstance(task, dict) and "annotations" in task and "data" in task for task in data
    ):
        return None
    return _label_studio_verdicts(data)


def _label_studio_verdicts(tasks: list[dict[str, Any]]) -> Iterator[Given]:
    for task in tasks:
        for annotation in task["annotations"]:
            if annotation.get("was_cancelled"):
                continue
            said = {item.get("from_name"): item.get("value", {}) for item in annotation["result"]}
            choices = said.get(_QUESTION, {}).get("choices", [])
            if choices:
                comment = " ".join(said.get(_COMMENT, {}).get("text", []))
                reviewer = annotation.get("completed_by", "")
                if isinstance(reviewer, dict):  # with the name and address of the person
                    reviewer = reviewer.get("id", "")
                yield Given(task["data"]["record"], str(reviewer), choices[0] == _KEEP, comment)


_ARGILLA_SETTINGS = {
    "guidelines": "Keep what a doctor can stand behind; say what is wrong with the rest.",
    "allow_extra_metadata": True,
    "fields": [
        {"name": "picture", "required": False, "settings": {"type": "image"}},
        {"name": "text", "settings": {"type": "text"}},
        {"name": "stages", "required": False, "settings": {"type": "text"}},
    ],
    "questions": [
        {
            "name": _QUESTION,
            "settings": {
                "type": "label_selection",
                "options": [{"value": word, "text": word} for word in (_KEEP, _REJECT)],
            },
        },
        {"name": _COMMENT, "required": False, "settings": {"type": "text"}},
    ],
}


def _write_argilla(tasks: list[Task]) -> dict[str, str]:
    records = [
        {
            "id": task.record,
            "fields": {"picture": task.picture or None, "text": task.text, "stages": task.stages},
            "metadata": {"modality": task.modality},
            "suggestions": {},
            "responses": {},
        }
        for task in tasks
    ]
    return {"records.json": _json(records), "settings.json": _json(_ARGILLA_SETTINGS)}


def _read_argilla(data: Any) -> Iterator[Given] | None:
    if not isinstance(data, list) or not all(
        isinstance(record, dict) and "responses" in record and "fields" in record for record in data
    ):
        return None
    return _argilla_verdicts(data)


def _argilla_verdicts(records: list[dict[str, Any]]) -> Iterator[Given]:
    """Yields what reviewers handed in, as far as the export tells.

    Argilla's library writes what each reviewer chose and not whether it was handed in, is a draft
    or was thrown away. What it calls pending has no answer that counts; of a completed record all
    answers are taken, unless the export gives their state.
    """
    for record in records:
        if record.get("status") == "pending":
            continue
        responses = record["responses"] or {}
        comments = {
            response.get("user_id"): str(response.get("value", ""))
            for response in responses.get(_COMMENT, [])
        }
        for response in responses.get(_QUESTION, []):
            reviewer, said = response.get("user_id"), response.get("value")
            handed_in = response.get("status", "submitted") == "submitted"
            if handed_in and said in (_KEEP, _REJECT):  # a draft may hold nothing yet
                comment = comments.get(reviewer, "")
                yield Given(str(record["id"]), str(reviewer), said == _KEEP, comment)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


FORMATS = {
    "label-studio": Format(_write_label_studio, _read_label_studio),
    "argilla": Format(_write_argilla, _read_argilla),
}
"""The tools, by the folder that their files get."""
