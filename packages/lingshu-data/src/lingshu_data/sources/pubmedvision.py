"""PubMedVision, instructions."""

from collections.abc import Iterator
from typing import Any

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import conversation, pictures_of
from lingshu_data.modalities import modality_named
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source

CARD: dict[str, Any] = {
    "licence": "Apache-2.0",
    "access": "open",
    "home": "https://github.com/FreedomIntelligence/HuatuoGPT-Vision",
    "citation": "Chen et al., HuatuoGPT-Vision, EMNLP 2024.",
    "layout": "`PubMedVision_*_VQA.json`, an array with lists of pictures below `images/`, "
    "unpacked from `images_*.zip`; from description",
    "hub": "FreedomIntelligence/PubMedVision",
}
"""What both parts of the dataset share."""


def facts_of(row: Row) -> dict[str, Any]:
    """Returns modality, split and tags of a row."""
    part = row.maybe("body_part")
    return {
        "modality": modality_named(row.maybe("modality")),
        "split": "train",
        "tags": {"body_part": part} if part else {},
    }


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the conversation about the pictures of a row."""
    paths = row.values["image"]
    yield conversation(
        row.values["conversations"],
        intake,
        row.text("id"),
        images=pictures_of(intake, *paths),
        group=intake.group(*paths),
        **facts_of(row),
    )


SOURCE = Source(
    card=Card(
        title="PubMedVision, instructions",
        part=("instruction",),
        what="Questions and answers about figures of PubMed, written by GPT-4V.",
        size="647,031 conversations",
        rank=62,
        **CARD,
    ),
    reader=JsonRows(("**/PubMedVision_InstructionTuning_VQA*.json",)),
    records=records,
    example={
        "id": "pmc_2_0",
        "image": ["images/pmc_2_0.jpg", "images/pmc_2_1.jpg"],
        "conversations": [
            {"from": "human", "value": "Which organ do both pictures show?"},
            {"from": "gpt", "value": "Both show the liver."},
        ],
        "body_part": "Abdomen",
        "modality": "Magnetic Resonance Imaging",
    },
)
