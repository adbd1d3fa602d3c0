"""PMC-OA: figures of open-access articles with captions."""

from collections.abc import Iterator

from lingshu_core.records import Caption, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the caption of a figure."""
    image = row.text("image")
    article = image.partition("_")[0]
    yield intake.make(
        Caption,
        text=row.text("caption"),
        images=pictures_of(intake, f"images/{image}"),
        split=row.maybe("split"),
        group=intake.group(article),
    )


SOURCE = Source(
    card=Card(
        title="PMC-OA",
        part=("captions",),
        what="Figures of articles in PubMed Central with their captions, subfigures taken apart.",
        size="1.65 M pairs",
        licence="OpenRAIL",
        access="open",
        home="https://huggingface.co/datasets/axiong/pmc_oa",
        citation="Lin et al., PMC-CLIP, MICCAI 2023.",
        layout="`train.jsonl`, `valid.jsonl`, `test.jsonl` or `pmc_oa.jsonl` with `image` and "
        "`caption`, pictures unpacked to `images/`; from description",
        rank=40,
        hub="axiong/pmc_oa",
    ),
    reader=JsonRows(
        ("**/*.jsonl",), splits={"train": "train", "valid": "validation", "test": "test"}
    ),
    records=records,
    example={
        "image": "PMC212319_Fig3_4.jpg",
        "caption": "Real time image of the translocation of ARF1-GFP to the plasma membrane.",
    },
)
