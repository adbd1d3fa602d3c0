"""PubMedVision, alignment."""

from collections.abc import Iterator

from lingshu_core.records import Caption, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source
from lingshu_data.sources.pubmedvision import CARD, facts_of


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the description as the caption of a row's pictures."""
    paths = row.values["image"]
    yield intake.make(
        Caption,
        row.text("id"),
        text=row.values["conversations"][-1]["value"],
        images=pictures_of(intake, *paths),
        group=intake.group(*paths),
        **facts_of(row),
    )


SOURCE = Source(
    card=Card(
        title="PubMedVision, alignment",
        part=("captions",),
        what="Figures of PubMed with long descriptions rewritten by GPT-4V.",
        size="647,031 pairs",
        rank=62,
        **CARD,
    ),
    reader=JsonRows(("**/PubMedVision_Alignment_VQA*.json",)),
    records=records,
    example={
        "id": "pmc_1_0",
        "image": ["images/pmc_1_0.jpg"],
        "conversations": [
            {"from": "human", "value": "Describe the picture."},
            {"from": "gpt", "value": "A computed tomography of the chest with a round nodule."},
        ],
        "body_part": "Lung",
        "modality": "Computed Tomography",
    },
)
