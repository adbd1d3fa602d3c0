"""LLaVA-1.5, instructions: with pictures and without."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import conversation, pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a conversation; a mixture takes those with pictures or those without (`pictured`)."""
    image = row.maybe("image")
    yield conversation(
        row.values["conversations"],
        intake,
        row.text("id"),
        images=pictures_of(intake, image) if image else (),
        modality=Modality.NATURAL if image else Modality.TEXT,
        split="train",
    )


SOURCE = Source(
    card=Card(
        title="LLaVA-1.5, instructions",
        part=("general",),
        what="Conversations about pictures of COCO, GQA, OCR-VQA, TextVQA and Visual Genome, and "
        "ShareGPT texts.",
        size="665,298 conversations, 40,688 of them without a picture",
        licence="as the parts; GPT-4 texts CC-BY-NC-4.0",
        access="open",
        home="https://huggingface.co/datasets/liuhaotian/LLaVA-Instruct-150K",
        citation="Liu et al., LLaVA-1.5, CVPR 2024.",
        layout="`llava_v1_5_mix665k.json`, an array of conversations, with `coco/`, `gqa/`, "
        "`ocr_vqa/`, `textvqa/`, `vg/` beside; from description",
        rank=60,
        hub="liuhaotian/LLaVA-Instruct-150K",
    ),
    reader=JsonRows(("**/llava_v1_5_mix665k.json",)),
    records=records,
    example={
        "id": "000000033471",
        "image": "coco/train2017/000000033471.jpg",
        "conversations": [
            {"from": "human", "value": "<image>\nWhat are the colors of the bus in the image?"},
            {"from": "gpt", "value": "The bus in the image is white and red."},
            {"from": "human", "value": "What feature can be seen on the back of the bus?"},
            {"from": "gpt", "value": "The back of the bus features an advertisement."},
        ],
    },
    domain="general",
)
