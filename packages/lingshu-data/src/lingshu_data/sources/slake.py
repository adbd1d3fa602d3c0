"""SLAKE: questions in English and Chinese about radiology pictures."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of, question
from lingshu_data.modalities import modality_named
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question about a picture."""
    name = row.text("img_name")
    yield question(
        intake,
        row.text("question"),
        row.text("answer"),
        row.text("qid"),
        closed=row.text("answer_type") == "CLOSED",
        images=pictures_of(intake, f"imgs/{name}"),
        modality=modality_named(row.maybe("modality")),
        language=row.text("q_lang"),
        split=row.maybe("split"),
        group=intake.group(name),
        tags={
            "body_part": row.text("location"),
            "topic": row.text("content_type"),
            "base": row.text("base_type"),
        },
    )


SOURCE = Source(
    card=Card(
        title="SLAKE",
        part=("instruction", "rl"),
        what="Questions in English and Chinese about CT, MR and X-ray pictures, by physicians.",
        size="14,028 questions on 642 pictures",
        licence="CC-BY-4.0",
        access="open",
        home="https://www.med-vqa.com/slake/",
        citation="Liu et al., SLAKE, ISBI 2021.",
        layout="`train.json`, `validate.json`, `test.json` and `imgs/xmlabN/source.jpg`; seen in a "
        "copy of its texts",
        rank=10,
        hub="BoKelvin/SLAKE",
    ),
    reader=JsonRows(
        ("t*.json", "validat*.json"),
        splits={"train": "train", "validat": "validation", "test": "test"},
    ),
    records=records,
    example={
        "img_id": 1,
        "img_name": "xmlab1/source.jpg",
        "question": "What modality is used to take this image?",
        "answer": "MRI",
        "q_lang": "en",
        "location": "Abdomen",
        "modality": "MRI",
        "answer_type": "OPEN",
        "base_type": "vqa",
        "content_type": "Modality",
        "triple": ["vhead", "_", "_"],
        "qid": 0,
        "split": "train",
    },
)
