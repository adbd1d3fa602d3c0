"""Rows as records: questions, conversations, captions. What many sources would write alike."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from lingshu_core.errors import DataError
from lingshu_core.records import (
    IMAGE_MARK,
    Dialogue,
    Image,
    Instruction,
    Option,
    Question,
    RecordBase,
    Turn,
)
from lingshu_data.intake import Intake
from lingshu_data.reader import Row

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_YES_NO = {"yes", "no"}
_ROLES: dict[str, Literal["system", "user", "assistant"]] = {
    "human": "user", "user": "user", "patient": "user", "gpt": "assistant",
    "assistant": "assistant", "chatgpt": "assistant", "doctor": "assistant", "system": "system",
}  # fmt: skip
_LETTERED = re.compile(r"^\s*\(?([A-Z])\s*[).:,]\s*(.*?)\s*$", re.DOTALL)


def pictures_of(
    intake: Intake, *paths: str | bytes | Mapping[str, Any] | None
) -> tuple[Image, ...]:
    """Stores the pictures of a row, or none where only texts are wanted.

    Args:
        intake: The desk.
        paths: Paths below the root, bytes, or dictionaries with `bytes` as parquet has them.
    """
    if not intake.settings.pictures:
        return ()
    found = []
    for path in paths:
        if isinstance(path, Mapping):
            path = path.get("bytes") or path.get("path")
        if not path:
            raise DataError("names no picture")
        found.append(intake.picture(path))
    return tuple(found)


def question(
    intake: Intake,
    text: str,
    answer: str | None,
    *key: str,
    closed: bool | None = None,
    **fields: Any,
) -> Question:
    """Makes a question with an answer in words.

    Args:
        intake: The desk.
        text: The question.
        answer: None where the publisher withholds it.
        key: The publisher's key of the row, where there is one.
        closed: Whether the answer is one of few; None to say so of yes and no.
        fields: Of the record.
    """
    if closed is None:
        closed = answer is not None and answer.strip().rstrip(".").lower() in _YES_NO
    kind = "closed" if closed else "open"
    return intake.make(
        Question, text, answer or "", *key, question=text, answer=answer, answer_kind=kind, **fields
    )


def choice(
    intake: Intake, text: str, options: Sequence[str], answer: int | None, *key: str, **fields: Any
) -> Question:
    """Makes a question with options.

    Args:
        intake: The desk.
        text: The question.
        options: Their texts, without letters.
        answer: Place of the right one, from 0; None where it is withheld.
        key: The publisher's key of the row, where there is one.
        fields: Of the record.
    """
    if answer is not None and not 0 <= answer < len(options):
        raise DataError(f"the answer is option {answer} of {len(options)}", field="answer")
    lettered = tuple(
        Option(letter=letter, text=option.strip())
        for letter, option in zip(LETTERS, options, strict=False)
    )
    return intake.make(
        Question,
        text,
        *options,
        *key,
        question=text,
        answer=None if answer is None else LETTERS[answer],
        answer_kind="choice",
        options=lettered,
        **fields,
    )


def without_letter(option: str) -> str:
    """Returns an option without the letter that a publisher has put before it: `A: yes`."""
    found = _LETTERED.match(option)
    return found.group(2) if found and found.group(2) else option.strip()


def lettered_options(text: str) -> list[str]:
    """Returns the options of a text that lists them a line each: `A. one`, `B. two`."""
    found: list[str] = []
    for line in text.splitlines():
        match = _LETTERED.match(line)
        if match and match.group(1) == LETTERS[len(found)]:
            found.append(match.group(2))
        elif found and line.strip():
            found[-1] += f" {line.strip()}"
    return found


def place_of(answer: str, options: Sequence[str]) -> int:
    """Returns the place of an answer that is given as a letter or as an option's text."""
    said = answer.strip()
    if len(said) == 1 and said.upper() in LETTERS[: len(options)]:
        return LETTERS.index(said.upper())
    plain = [option.strip().rstrip(".").lower() for option in options]
    wanted = without_letter(said).rstrip(".").lower()
    if wanted in plain:
        return plain.index(wanted)
    raise DataError(f"the answer {said[:60]!r} is none of the options", field="answer")


def instruction(intake: Intake, text: str, response: str, *key: str, **fields: Any) -> Instruction:
    """Makes an instruction with its response."""
    return intake.make(
        Instruction, text, response, *key, instruction=text, response=response, **fields
    )


def alpaca(row: Row, intake: Intake, **fields: Any) -> Instruction:
    """Makes an instruction of a row with `instruction`, `input` and `output`."""
    parts = [part for part in (row.maybe("instruction"), row.maybe("input")) if part]
    if not parts:
        raise DataError("has neither instruction nor input", field="instruction")
    return instruction(intake, "\n\n".join(parts), row.text("output"), **fields)


def conversation(
    turns: Sequence[Mapping[str, Any]], intake: Intake, *key: str, **fields: Any
) -> RecordBase:
    """Makes an instruction of one exchange, a dialogue of more.

    Args:
        turns: With `from` and `value`, or `role` and `content`.
        intake: The desk.
        key: The publisher's key, where there is one.
        fields: Of the record; marks of pictures in the turns have to agree with its pictures.
    """
    said = [_turn(turn) for turn in turns]
    if len(said) > 1 and said[-1].role != "assistant":
        said.pop()
    images = fields.get("images", ())
    marks = sum(turn.text.count(IMAGE_MARK) for turn in said)
    if marks not in {0, len(images)}:
        if images or not intake.settings.pictures:
            intake.note("marks of pictures that are not there")
        said = [turn.model_copy(update={"text": _unmarked(turn.text)}) for turn in said]
    roles = [turn.role for turn in said]
    if roles in (["user", "assistant"], ["system", "user", "assistant"]):
        system = {"system": said[0].text} if roles[0] == "system" else {}
        return instruction(intake, said[-2].text, said[-1].text, *key, **system, **fields)
    texts = [f"{turn.role}:{turn.text}" for turn in said]
    return intake.make(Dialogue, *texts, *key, turns=tuple(said), **fields)


def _turn(turn: Mapping[str, Any]) -> Turn:
    role = _ROLES.get(str(turn.get("from", turn.get("role", ""))).strip().lower())
    text = turn.get("value", turn.get("content"))
    if role is None or not isinstance(text, str) or not text.strip():
        raise DataError("a turn lacks its role or its text", field="conversations")
    return Turn(role=role, text=text.strip())


def _unmarked(text: str) -> str:
    return text.replace(IMAGE_MARK, "").strip() or "Describe what is shown."


def reasoned(
    intake: Intake, text: str, answer: str, rationale: str | None, *key: str, **fields: Any
) -> Question:
    """Makes an open question whose answer comes with its reasoning."""
    return question(intake, text, answer, *key, closed=False, rationale=rationale, **fields)


def sections(text: str) -> dict[str, str]:
    """Returns the sections of a radiology report by their headings in small letters.

    A heading is a line that begins with capitals and a colon: `FINDINGS:`.
    """
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        heading = re.match(r"^\s*([A-Z][A-Z /&()-]{2,60}):\s*(.*)$", line)
        if heading:
            name = heading.group(1).strip().lower()
            found[name] = heading.group(2)
        elif name:
            found[name] += f" {line.strip()}"
    return {key: " ".join(value.split()) for key, value in found.items() if value.strip()}
