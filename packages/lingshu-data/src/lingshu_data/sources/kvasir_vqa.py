"""Kvasir-VQA: questions about endoscopy pictures."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of, question
from lingshu_data.reader import Row
from lingshu_data.readers.parquet import Parquet
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question about a picture."""
    yield question(
        intake,
        row.text("question"),
        row.text("answer"),
        row.text("img_id"),
        images=pictures_of(intake, row.values["image"]),
        modality=Modality.ENDOSCOPY,
        group=intake.group(row.text("img_id")),
        tags={"collection": row.maybe("source") or "unknown"},
    )


SOURCE = Source(
    card=Card(
        title="Kvasir-VQA",
        part=("instruction", "rl"),
        what="Questions about pictures of gastrointestinal endoscopy.",
        size="58,849 questions on 6,500 pictures",
        licence="CC-BY-NC-4.0",
        access="open",
        home="https://huggingface.co/datasets/SimulaMet-HOST/Kvasir-VQA",
        citation="Gautam et al., Kvasir-VQA, 2024.",
        layout="`data/raw-*.parquet` with `image`, `source`, `question`, `answer`, `img_id`; "
        "columns seen in public code",
        rank=20,
        hub="SimulaMet-HOST/Kvasir-VQA",
    ),
    reader=Parquet(("**/*.parquet",)),
    records=records,
    example={
        "image": {"bytes": None, "path": "cl8k2u1pm1dw7083203g1b7yv.jpg"},
        "source": "Kvasir-SEG",
        "question": "How many polyps are in the image?",
        "answer": "1",
        "img_id": "cl8k2u1pm1dw7083203g1b7yv",
    },
)
