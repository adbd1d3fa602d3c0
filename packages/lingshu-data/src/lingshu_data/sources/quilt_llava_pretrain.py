"""Quilt-LLaVA, pretraining: frames of histopathology videos with what was said."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import Caption, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the caption of a frame."""
    image = row.text("image")
    yield intake.make(
        Caption,
        text=row.values["conversations"][-1]["value"],
        images=pictures_of(intake, f"quilt_1m/{image}"),
        modality=Modality.HISTOPATHOLOGY,
        split="train",
        group=intake.group(image),
    )


SOURCE = Source(
    card=Card(
        title="Quilt-LLaVA, pretraining",
        part=("captions",),
        what="Frames of histopathology videos with descriptions taken from the speech.",
        size="723 K pairs",
        licence="research only, on request",
        access="request",
        home="https://huggingface.co/datasets/wisdomik/Quilt-LLaVA-Pretrain",
        citation="Seyfioglu et al., Quilt-LLaVA, CVPR 2024.",
        layout="`quilt_pretrain.json`, an array of conversations, and `quilt_1m/`; seen in the "
        "README of the Quilt-LLaVA repository",
        rank=45,
    ),
    reader=JsonRows(("**/quilt_pretrain.json",)),
    records=records,
    example={
        "id": "a1",
        "image": "a1_image_1.jpg",
        "conversations": [
            {"from": "human", "value": "<image>\nProvide a brief description of the given image."},
            {"from": "gpt", "value": "Glands of the colon with crowded dark nuclei."},
        ],
    },
)
