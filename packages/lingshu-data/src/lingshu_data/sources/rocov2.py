"""ROCOv2: radiology pictures of PubMed Central with captions and concepts."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import Caption, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.either import Either, Renamed
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

_CONCEPTS = {
    "C0040405": Modality.CT,
    "C1306645": Modality.XRAY,
    "C0024485": Modality.MRI,
    "C0041618": Modality.ULTRASOUND,
    "C0002978": Modality.ANGIOGRAPHY,
    "C0032743": Modality.PET,
}
"""UMLS concepts of modalities, which ROCOv2 annotates by hand."""


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the caption of a picture."""
    name, split = row.text("ID"), row.maybe("split") or row.text("ID").split("_")[2]
    concepts = row.values.get("CUIs") or ()
    known = [_CONCEPTS[concept] for concept in concepts if concept in _CONCEPTS]
    yield intake.make(
        Caption,
        name,
        text=row.text("Caption"),
        images=pictures_of(intake, f"images/{name}.jpg|{split}/{name}.jpg"),
        split={"valid": "validation"}.get(split, split),
        group=intake.group((row.maybe("pmc_figure") or name).partition("_")[0]),
        modality=known[0] if known else Modality.UNKNOWN,
        tags={"concepts": " ".join(concepts)} if concepts else {},
        licence=row.maybe("licence"),
    )


SOURCE = Source(
    card=Card(
        title="ROCOv2",
        part=("captions", "instruction"),
        what="Radiology pictures of articles in PubMed Central with captions and UMLS concepts.",
        size="79,789 pictures",
        licence="CC-BY, for each picture as its article",
        access="open",
        home="https://zenodo.org/records/10821435",
        citation="Rückert et al., ROCOv2, Scientific Data 2024.",
        layout="`SPLIT_captions.csv` (ID, Caption) and `SPLIT/ID.jpg` as on Zenodo, from "
        "description; also `captions.jsonl` and `images/`, seen in a copy of a part",
        rank=35,
    ),
    reader=Either(
        (
            Table(
                ("*_captions.csv",),
                splits={"train": "train", "valid": "validation", "test": "test"},
            ),
            Renamed(
                JsonRows(("captions.jsonl",)),
                {"id": "ID", "caption": "Caption", "manual_cuis": "CUIs"},
            ),
        )
    ),
    records=records,
    example={
        "ID": "ROCOv2_2023_train_000001",
        "Caption": "Head CT with a fracture of the arch.",
        "split": "train",
    },
)
