"""LLaVA-Med-zh: the instructions of LLaVA-Med, translated into Chinese."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import conversation, pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.parquet import Parquet
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the conversation about the pictures of a row."""
    images = pictures_of(intake, *row.values["images"])
    yield conversation(
        row.values["messages"],
        intake,
        images=images,
        split="train",
        group=intake.group(*(image.sha256 for image in images)) if images else None,
    )


SOURCE = Source(
    card=Card(
        title="LLaVA-Med-zh",
        part=("instruction",),
        what="The instructions of LLaVA-Med translated into Chinese by a model.",
        size="56,649 conversations",
        licence="Apache-2.0",
        access="open",
        home="https://huggingface.co/datasets/BUAADreamer/llava-med-zh-instruct-60k",
        citation="BUAADreamer, llava-med-zh-instruct-60k, 2024.",
        layout="`data/train-*.parquet` with `messages` and embedded `images`; columns seen in "
        "public code that reads it",
        rank=65,
        hub="BUAADreamer/llava-med-zh-instruct-60k",
    ),
    reader=Parquet(("**/*.parquet",)),
    records=records,
    example={
        "messages": [
            {"role": "user", "content": "<image>这张图像是什么检查。"},
            {"role": "assistant", "content": "这是一张胸部X光片。"},
        ],
        "images": [{"bytes": None, "path": "1.jpg"}],
    },
    language="zh",
)
