"""The dataset: `plants.jsonl`, a question and its answer a line."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import question
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the question of a row."""
    yield question(
        intake,
        row.text("question"),
        row.text("answer"),
        row.text("id"),
        modality=Modality.TEXT,
        split="train",
    )


SOURCE = Source(
    card=Card(
        title="Plants",
        part=("more",),
        what="Questions about medicinal plants.",
        size="as many as you write",
        licence="CC0-1.0",
        access="open",
        home="https://example.org/plants",
        citation="None; this is an example.",
        layout="`plants.jsonl` with `id`, `question`, `answer`",
    ),
    reader=JsonRows(("plants.jsonl",)),
    records=records,
    example={"id": "1", "question": "Which plant gives digoxin?", "answer": "Foxglove"},
)
