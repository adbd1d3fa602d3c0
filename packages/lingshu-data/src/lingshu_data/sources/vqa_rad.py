"""VQA-RAD: questions by clinicians about radiology pictures."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of, question
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source

_ORGANS = {"HEAD": "head", "CHEST": "chest", "ABD": "abdomen"}


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question about a picture; the group is the picture."""
    name = row.text("image_name")
    yield question(
        intake,
        row.text("question"),
        row.text("answer"),
        row.text("qid"),
        closed=row.text("answer_type").upper() == "CLOSED",
        images=pictures_of(intake, f"images/{name}|VQA_RAD Image Folder/{name}"),
        modality=Modality.UNKNOWN,
        split=row.maybe("split"),
        group=intake.group(name),
        tags={
            "body_part": _ORGANS.get(row.text("image_organ"), "unknown"),
            "topic": row.text("question_type"),
            "phrasing": row.text("phrase_type"),
        },
    )


SOURCE = Source(
    card=Card(
        title="VQA-RAD",
        part=("instruction", "rl"),
        what="Questions that clinicians asked and answered about radiology pictures.",
        size="3,515 questions on 315 pictures",
        licence="CC0-1.0",
        access="open",
        home="https://osf.io/89kps/",
        citation="Lau et al., VQA-RAD, Scientific Data 2018.",
        layout="`trainset.json` and `testset.json` (the usual division of the published file) and "
        "`images/`; seen in a copy",
        rank=10,
    ),
    reader=JsonRows(
        ("trainset.json", "testset.json"), splits={"trainset": "train", "testset": "test"}
    ),
    records=records,
    example={
        "qid": 1,
        "image_name": "synpic54610.jpg",
        "image_organ": "HEAD",
        "answer": "Yes",
        "answer_type": "CLOSED",
        "question_type": "PRES",
        "question": "Are regions of the brain infarcted?",
        "phrase_type": "freeform",
        "split": "train",
    },
)
