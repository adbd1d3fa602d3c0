"""PriMock57: mock consultations in primary care, transcribed, with notes."""

import json
import re
from collections.abc import Iterator

from lingshu_core.errors import DataError
from lingshu_core.records import Dialogue, RecordBase, Turn
from lingshu_data.intake import Intake
from lingshu_data.reader import Row
from lingshu_data.readers.documents import Documents
from lingshu_data.source import Card, Source

_INTERVAL = re.compile(r'xmin = ([\d.]+)\s+xmax = [\d.]+\s+text = "((?:[^"]|"")*)"')
_NOISE = re.compile(r"<[^>]*>")


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a consultation, put together from the transcripts of both sides."""
    name = row.text("path").rpartition("/")[2].removesuffix(".json")
    said: list[tuple[float, str, str]] = []
    for side, role in (("doctor", "assistant"), ("patient", "user")):
        path = intake.path(f"transcripts/{name}_{side}.TextGrid")
        text = path.read_text(encoding="utf-8", errors="backslashreplace")
        for start, words in _INTERVAL.findall(text):
            clean = " ".join(_NOISE.sub(" ", words.replace('""', '"')).split())
            if clean:
                said.append((float(start), role, clean))
    turns: list[Turn] = []
    for _, role, words in sorted(said):
        if turns and turns[-1].role == role:
            turns[-1] = Turn(role=turns[-1].role, text=f"{turns[-1].text} {words}")
        else:
            turns.append(Turn(role="user" if role == "user" else "assistant", text=words))
    try:
        note = json.loads(row.text("text"))
    except json.JSONDecodeError as error:
        raise DataError(f"is no JSON: {error.msg}", field="text") from None
    yield intake.make(
        Dialogue,
        name,
        turns=tuple(turns),
        tags={"topic": str(note["presenting_complaint"]), "note": str(note["note"])},
    )


SOURCE = Source(
    card=Card(
        title="PriMock57",
        part=("more",),
        what="Mock consultations in primary care, transcribed, with the physicians' notes.",
        size="57 consultations",
        licence="CC-BY-4.0",
        access="open",
        home="https://github.com/babylonhealth/primock57",
        citation="Papadopoulos Korfiatis et al., PriMock57, ACL 2022.",
        layout="`notes/NAME.json` and `transcripts/NAME_doctor.TextGrid`, `_patient.TextGrid`; "
        "seen in a copy",
        rank=20,
    ),
    reader=Documents(("notes/*.json",)),
    records=records,
    example={
        "path": "notes/day1_consultation01.json",
        "text": '{"day": 1, "consultation": 1, "presenting_complaint": "I have a headache",'
        ' "note": "Headache on the left side.", "highlights": ["Headache"]}',
    },
)
