"""PathVQA: questions about pictures of pathology textbooks."""

from collections.abc import Iterator

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of, question
from lingshu_data.reader import Row
from lingshu_data.readers.either import Either, Renamed
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.readers.parquet import Parquet
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question about a picture."""
    figure = row.maybe("figure")
    if figure is not None and intake.settings.pictures:
        raise DataError("this copy has texts alone: read it with pictures=false", field="image")
    images = pictures_of(intake, row.values.get("image"))
    yield question(
        intake,
        row.text("question"),
        row.text("answer"),
        figure or "",
        images=images,
        modality=Modality.HISTOPATHOLOGY,
        split=row.maybe("split"),
        group=intake.group(images[0].sha256 if images else row.text("figure")),
    )


SOURCE = Source(
    card=Card(
        title="PathVQA",
        part=("instruction", "rl"),
        what="Questions about pictures of pathology textbooks, made from their captions.",
        size="32,632 questions on 4,289 pictures",
        licence="MIT",
        access="open",
        home="https://huggingface.co/datasets/flaviagiammarino/path-vqa",
        citation="He et al., PathVQA, 2020.",
        layout="`data/SPLIT-*.parquet` with `image`, `question`, `answer`, from description; also "
        "`QA_pairs_*.json` without pictures, seen in a copy of the first repository",
        rank=30,
        hub="flaviagiammarino/path-vqa",
    ),
    reader=Either(
        (
            Parquet(
                ("**/*.parquet",),
                splits={"train": "train", "validation": "validation", "test": "test"},
            ),
            Renamed(
                JsonRows(("**/QA_pairs_*.json",)),
                {"Image_ID": "figure", "Questions": "question", "Answers": "answer"},
            ),
        )
    ),
    records=records,
    example={
        "image": {"bytes": None, "path": "train_0001.jpg"},
        "question": "is there a granuloma in the section?",
        "answer": "yes",
        "split": "train",
    },
)
