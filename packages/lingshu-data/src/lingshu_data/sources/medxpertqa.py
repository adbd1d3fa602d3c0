"""MedXpertQA: expert questions, with and without pictures."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import LETTERS, choice, pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question with its options, which its published text repeats at the end."""
    given = row.values["options"]
    if isinstance(given, dict):
        options = [str(given[letter]) for letter in sorted(given)]
    else:
        options = [str(item["content"]) for item in given]
    label = row.values["label"]
    letter = label[0] if isinstance(label, list) else str(label)
    paths = [
        item["image_path"] if isinstance(item, dict) else item
        for item in row.values.get("images") or ()
    ]
    asked, _, _ = row.text("question").partition("\nAnswer Choices:")
    yield choice(
        intake,
        asked,
        options,
        LETTERS.index(letter),
        row.text("id"),
        images=pictures_of(intake, *(f"images/{path}" for path in paths)),
        split="test",
        tags={
            "body_part": row.maybe("body_system") or "unknown",
            "topic": row.maybe("medical_task") or "unknown",
            "difficulty": row.maybe("question_type") or "unknown",
        },
    )


SOURCE = Source(
    card=Card(
        title="MedXpertQA",
        part=("more",),
        what="Questions of specialist examinations with up to ten options, with pictures and "
        "without.",
        size="4,460 questions",
        licence="MIT",
        access="open",
        home="https://github.com/TsinghuaC3I/MedXpertQA",
        citation="Zuo et al., MedXpertQA, ICML 2025.",
        layout="`*_input.jsonl` with `options` as letter and content, and `images/`; seen in a "
        "copy of the samples",
        rank=10,
    ),
    reader=JsonRows(("**/*.jsonl",)),
    records=records,
    example={
        "id": "Text-20",
        "question": "A man has a fever.\nAnswer Choices: (A) Influenza (B) Malaria",
        "options": [{"letter": "A", "content": "Influenza"}, {"letter": "B", "content": "Malaria"}],
        "label": ["B"],
        "images": [],
        "medical_task": "Diagnosis",
        "body_system": "Other / NA",
        "question_type": "Reasoning",
    },
)
