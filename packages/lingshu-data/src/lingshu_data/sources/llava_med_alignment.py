"""LLaVA-Med, alignment: figures of PubMed Central with captions as answers."""

from collections.abc import Iterator

from lingshu_core.records import Caption, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source
from lingshu_data.sources.llava_med import modality_of, turns_of


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the answer as the picture's caption; the question is one of a few forms."""
    image = row.text("image")
    yield intake.make(
        Caption,
        row.maybe("id") or "",
        text=turns_of(row)[-1]["value"],
        images=pictures_of(intake, f"images/{image}"),
        modality=modality_of(row),
        group=intake.group(image),
    )


SOURCE = Source(
    card=Card(
        title="LLaVA-Med, alignment",
        part=("captions",),
        what="Figures of PubMed Central articles with their captions, five modalities.",
        size="500 K pairs; 467,710 with pictures that can still be fetched",
        licence="CC-BY-NC-4.0",
        access="open",
        home="https://github.com/microsoft/LLaVA-Med",
        citation="Li et al., LLaVA-Med, NeurIPS 2023.",
        layout="`llava_med_alignment_500k.json`, an array of conversations, and `images/`; keys "
        "seen in public code that reads it, which also meets the misspelt `conversatons`",
        rank=40,
    ),
    reader=JsonRows(("**/llava_med_alignment*.json",), splits={"alignment": "train"}),
    records=records,
    example={
        "id": "25089221_Fig1",
        "image": "25089221_Fig1.jpg",
        "domain": {
            "chest_xray": False,
            "mri": True,
            "histology": False,
            "gross": False,
            "ct_scan": False,
        },
        "conversatons": [
            {"from": "human", "value": "Describe the image concisely.\n<image>"},
            {"from": "gpt", "value": "Sagittal T2 picture of a knee with fluid in the joint."},
        ],
    },
)
