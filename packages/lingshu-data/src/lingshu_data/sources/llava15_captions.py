"""LLaVA-1.5, captions: pictures of the general domain for alignment."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import Caption, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the caption of a picture."""
    image = row.text("image")
    yield intake.make(
        Caption,
        row.text("id"),
        text=row.values["conversations"][-1]["value"],
        images=pictures_of(intake, f"images/{image}|{image}"),
        modality=Modality.NATURAL,
        split="train",
    )


SOURCE = Source(
    card=Card(
        title="LLaVA-1.5, captions",
        part=("general",),
        what="Pictures of LAION, CC and SBU with captions of BLIP.",
        size="558,128 pairs",
        licence="as the pictures; captions CC-BY-4.0",
        access="open",
        home="https://huggingface.co/datasets/liuhaotian/LLaVA-Pretrain",
        citation="Liu et al., LLaVA-1.5, CVPR 2024.",
        layout="`blip_laion_cc_sbu_558k.json`, an array of conversations, and `images.zip` "
        "unpacked to `images/`; from description",
        rank=60,
        hub="liuhaotian/LLaVA-Pretrain",
    ),
    reader=JsonRows(("**/blip_laion_cc_sbu_558k.json",)),
    records=records,
    example={
        "id": "004539375",
        "image": "00453/004539375.jpg",
        "conversations": [
            {"from": "human", "value": "Render a clear and concise summary of the photo.\n<image>"},
            {
                "from": "gpt",
                "value": "select luxury furniture 3 - inch gel memory foam mattress topper",
            },
        ],
    },
    domain="general",
)
