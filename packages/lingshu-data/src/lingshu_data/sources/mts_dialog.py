"""MTS-Dialog: conversations of physicians and patients with the notes made of them."""

import re
from collections.abc import Iterator
from typing import Any, Literal

from lingshu_core.records import Dialogue, Instruction, RecordBase, Turn
from lingshu_data.intake import Intake
from lingshu_data.reader import Row
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

_NAMES = r"Doctor|Physician|Clinician|Nurse|Patient|Gu?est[_ ][A-Za-z]+(?:_\d+)?"
_SPEAKER = re.compile(rf"(?:^|(?<=\s))({_NAMES})\s*:\s|^\[(\w+)\]\s", re.MULTILINE)
"""`Doctor:` at the start of a line or, where line breaks were lost, within it; or `[doctor]`."""
_TREATS = ("doctor", "physician", "clinician", "nurse", "guest_clinic")


def turns_of(text: str) -> tuple[Turn, ...]:
    """Returns the turns of a transcript that names its speakers.

    The patient and who comes with them are the user. Turns of one side that follow each other
    become one.
    """
    found: list[Turn] = []
    marks = list(_SPEAKER.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=False):
        name = (mark.group(1) or mark.group(2)).lower()
        said = " ".join(text[mark.end() : end].split())
        role: Literal["assistant", "user"] = "assistant" if name.startswith(_TREATS) else "user"
        if found and found[-1].role == role:
            found[-1] = Turn(role=role, text=f"{found[-1].text} {said}".strip())
        elif said:
            found.append(Turn(role=role, text=said))
    return tuple(found)


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a conversation; where one side alone speaks, a text to sum up."""
    said, note = row.text("dialogue"), row.text("section_text")
    key = (row.text("ID"), row.place.rpartition(":")[0], said)
    common: dict[str, Any] = {"split": row.maybe("split")}
    turns = turns_of(said)
    if len(turns) > 1:
        tags = {"topic": row.text("section_header"), "note": note}
        yield intake.make(Dialogue, *key, turns=turns, tags=tags, **common)
        return
    tags = {"topic": row.text("section_header")}
    yield intake.make(
        Instruction,
        *key,
        instruction=f"Write the section of the note that follows from this.\n{said}",
        response=note,
        tags=tags,
        **common,
    )


SOURCE = Source(
    card=Card(
        title="MTS-Dialog",
        part=("more",),
        what="Conversations of physicians and patients with the section of the note made of each.",
        size="1,701 conversations",
        licence="CC-BY-4.0",
        access="open",
        home="https://github.com/abachaa/MTS-Dialog",
        citation="Ben Abacha et al., MTS-Dialog, EACL 2023.",
        layout="`MTS-Dialog-TrainingSet.csv` and four more with `ID`, `section_header`, "
        "`section_text`, `dialogue`; seen in a copy",
        rank=20,
    ),
    reader=Table(
        ("**/MTS-Dialog-*.csv",),
        splits={"Training": "train", "Validation": "validation", "Test": "test"},
    ),
    records=records,
    example={
        "ID": "0",
        "section_header": "CC",
        "section_text": "Congestion and cough.",
        "dialogue": "Doctor: Hello, how are you?\nPatient: Not good.\nDoctor: What happened?",
        "split": "train",
    },
)
