"""MedPix 2.0: CT and MR pictures of teaching cases with descriptions."""

from collections.abc import Iterator
from typing import Any

from lingshu_core.modality import Modality
from lingshu_core.records import Caption, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the caption of a picture."""
    said: dict[str, Any] = row.values["Description"]
    image = row.text("image")
    kind = str(said.get("Modality") or row.maybe("Type") or "")
    part = row.maybe("Location Category") or row.maybe("Location") or ""
    yield intake.make(
        Caption,
        text=str(said.get("Caption") or ""),
        images=pictures_of(intake, f"images/{image}.png|images/{image}"),
        modality=Modality.MRI if kind.upper().startswith("MR") else Modality.CT,
        group=intake.group(row.text("U_id")),
        tags={"body_part": part} if part else {},
    )


SOURCE = Source(
    card=Card(
        title="MedPix 2.0",
        part=("captions",),
        what="CT and MR pictures of 671 teaching cases of MedPix with their captions.",
        size="2,050 pictures",
        licence="CC-BY-NC-SA-4.0",
        access="open",
        home="https://github.com/CHILab1/MedPix-2.0",
        citation="Siragusa et al., MedPix 2.0, 2025.",
        layout="`Descriptions.json` with `U_id`, `image` and `Description`, and `images/`; seen in "
        "the repository's README",
        rank=25,
    ),
    reader=JsonRows(("**/Descriptions.json",)),
    records=records,
    example={
        "Type": "CT",
        "U_id": "MPX1016",
        "image": "MPX1016_synpic34317",
        "Description": {
            "Modality": "CT - noncontrast",
            "Plane": "Axial",
            "Caption": "Non-contrast CT with bladder calculi that are hyperdense.",
        },
        "Location": "Genitourinary",
        "Location Category": "Reproductive and Urinary System",
    },
)
