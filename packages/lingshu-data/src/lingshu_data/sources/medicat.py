"""MediCaT: figures of medical articles with captions."""

from collections.abc import Iterator

from lingshu_core.records import Caption, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the caption of a figure."""
    article, figure = row.text("pdf_hash"), row.text("fig_uri")
    yield intake.make(
        Caption,
        text=row.maybe("s2_caption") or row.text("s2orc_caption"),
        images=pictures_of(intake, f"figures/{article}_{figure}"),
        group=intake.group(article),
    )


SOURCE = Source(
    card=Card(
        title="MediCaT",
        part=("captions",),
        what="Figures of medical articles with captions and the sentences that refer to them.",
        size="217,060 figures",
        licence="for research, as the articles",
        access="request",
        home="https://github.com/allenai/medicat",
        citation="Subramanian et al., MedICaT, Findings of EMNLP 2020.",
        layout="`s2_full_figures_*.jsonl` with `pdf_hash`, `fig_uri` and `s2_caption`, and "
        "`figures/HASH_URI`; keys seen in public code that reads it",
        rank=40,
    ),
    reader=JsonRows(("**/s2_full_figures*.jsonl",)),
    records=records,
    example={
        "pdf_hash": "7ec5b8d31b4b0f1b1a9c0c5a7e5b2c1d0e9f8a7b",
        "fig_uri": "2-Figure1-1.png",
        "s2_caption": "Fig. 1. Chest radiograph with a mass in the right upper lobe.",
        "radiology": True,
    },
)
