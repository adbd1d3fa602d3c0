"""MedThoughts-8K: examination questions with the reasoning of DeepSeek-R1."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import choice, place_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question with its reasoning."""
    options = row.values["options"]
    texts = [str(options[letter]) for letter in sorted(options)]
    yield choice(
        intake,
        row.text("question"),
        texts,
        place_of(row.text("answer_idx"), texts),
        rationale=row.text("ds_think"),
        split="train",
    )


SOURCE = Source(
    card=Card(
        title="MedThoughts-8K",
        part=("text",),
        what="Questions of MedQA with the reasoning of DeepSeek-R1 towards the right answer.",
        size="7,716 questions",
        licence="Apache-2.0",
        access="open",
        home="https://huggingface.co/datasets/hw-hwei/MedThoughts-8K",
        citation="hw-hwei, MedThoughts-8K, 2025.",
        layout="`MedThoughts-8K.jsonl` with `question`, `options`, `answer_idx`, `ds_think`; seen "
        "in public code that reads it",
        rank=68,
        hub="hw-hwei/MedThoughts-8K",
    ),
    reader=JsonRows(("**/*.jsonl",)),
    records=records,
    example={
        "question": "Which vitamin is lacking in scurvy?",
        "options": {"A": "Vitamin A", "B": "Vitamin C"},
        "answer_idx": "B",
        "ds_think": "Bleeding gums point to a lack of vitamin C.",
    },
)
