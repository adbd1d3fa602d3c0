"""Quilt-LLaVA, instructions: conversations about frames of histopathology videos."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import conversation, pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the conversation about a frame."""
    image = row.text("image")
    yield conversation(
        row.values["conversations"],
        intake,
        images=pictures_of(intake, f"quilt_instruct/{image}"),
        modality=Modality.HISTOPATHOLOGY,
        split="train",
        group=intake.group(image),
    )


SOURCE = Source(
    card=Card(
        title="Quilt-LLaVA, instructions",
        part=("instruction",),
        what="Conversations about frames of histopathology videos, written by GPT-4.",
        size="107,131 conversations",
        licence="research only, on request",
        access="request",
        home="https://huggingface.co/datasets/wisdomik/QUILT-LLaVA-Instruct-107K",
        citation="Seyfioglu et al., Quilt-LLaVA, CVPR 2024.",
        layout="`quilt_instruct_107k.json` (seen in the dataset's README) and `quilt_instruct/`; "
        "the folder of pictures from description",
        rank=60,
    ),
    reader=JsonRows(("**/quilt_instruct_107k.json",)),
    records=records,
    example={
        "id": "b2",
        "image": "b2_image_7.jpg",
        "conversations": [
            {"from": "human", "value": "<image>\nWhat is seen in the stroma?"},
            {"from": "gpt", "value": "A dense infiltrate of lymphocytes."},
        ],
    },
)
