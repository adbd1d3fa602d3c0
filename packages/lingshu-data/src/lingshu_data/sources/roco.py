"""ROCO: radiology pictures of PubMed Central with captions."""

from collections.abc import Iterator

from lingshu_core.records import Caption, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.either import Either
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the caption of a picture."""
    name = row.text("roco_id")
    split = row.maybe("split")
    folder = f"data/{split}/radiology/images/{name}.jpg"
    article = (row.maybe("pmc_figure") or name).partition("_")[0]
    yield intake.make(
        Caption,
        name,
        text=row.text("caption"),
        images=pictures_of(intake, folder),
        split=split,
        group=intake.group(article),
        licence=row.maybe("licence"),
    )


SOURCE = Source(
    card=Card(
        title="ROCO",
        part=("captions",),
        what="Radiology pictures of articles in PubMed Central with their captions.",
        size="81,825 pictures",
        licence="CC-BY, for each picture as its article",
        access="open",
        home="https://github.com/razorx89/roco-dataset",
        citation="Pelka et al., ROCO, LABELS 2018.",
        layout="`data/SPLIT/radiology/captions.txt` (id, tab, caption) and `images/ID.jpg`, seen "
        "in the repository; also a table `captions.tsv` with licences, seen in a copy of it",
        rank=38,
    ),
    reader=Either(
        (
            Table(
                ("data/*/radiology/captions.txt",),
                delimiter="\t",
                columns=("roco_id", "caption"),
                quotes=False,
                splits={"/train/": "train", "/validation/": "validation", "/test/": "test"},
            ),
            Table(("captions.tsv",), delimiter="\t", quotes=False),
        )
    ),
    records=records,
    example={
        "roco_id": "ROCO_00002",
        "caption": " Computed tomography scan in axial view showing obliteration of the sinus.",
        "split": "train",
    },
)
