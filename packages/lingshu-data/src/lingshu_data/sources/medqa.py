"""MedQA (USMLE): questions of the medical licensing examination."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import choice, place_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question with its options."""
    options = row.values["options"]
    texts = [str(options[letter]) for letter in sorted(options)]
    answer = row.maybe("answer_idx") or row.text("answer")
    yield choice(
        intake,
        row.text("question"),
        texts,
        place_of(answer, texts),
        split=row.maybe("split"),
        tags={"topic": row.maybe("meta_info") or "USMLE"},
    )


SOURCE = Source(
    card=Card(
        title="MedQA",
        part=("text",),
        what="Questions of the United States medical licensing examination with options.",
        size="12,723 questions in English",
        licence="MIT",
        access="open",
        home="https://github.com/jind11/MedQA",
        citation="Jin et al., MedQA, Applied Sciences 2021.",
        layout="`questions/US/4_options/phrases_no_exclude_SPLIT.jsonl`; seen in a copy of the "
        "test file",
        rank=15,
    ),
    reader=JsonRows(
        ("**/phrases_no_exclude_*.jsonl",),
        splits={"train": "train", "dev": "validation", "test": "test"},
    ),
    records=records,
    example={
        "question": "Which nerve is injured when the wrist drops?",
        "answer": "Radial nerve",
        "options": {
            "A": "Median nerve",
            "B": "Ulnar nerve",
            "C": "Radial nerve",
            "D": "Axillary nerve",
        },
        "meta_info": "step1",
        "answer_idx": "C",
        "split": "train",
    },
)
