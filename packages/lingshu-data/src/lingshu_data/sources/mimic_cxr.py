"""MIMIC-CXR: chest radiographs with the radiologists' reports."""

from collections.abc import Iterator
from typing import Any

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase, Report
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of, sections
from lingshu_data.reader import Row
from lingshu_data.readers.joined import Joined
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

CARD: dict[str, Any] = {
    "size": "227,835 studies, 377,110 radiographs",
    "licence": "PhysioNet Credentialed Health Data License 1.5.0",
    "access": "agreement",
    "home": "https://physionet.org/content/mimic-cxr-jpg/",
    "citation": "Johnson et al., MIMIC-CXR, Scientific Data 2019.",
    "layout": "MIMIC-CXR-JPG: `mimic-cxr-2.0.0-split.csv.gz` and `-metadata.csv.gz`, "
    "`files/pXX/pSUBJECT/sSTUDY/IMAGE.jpg` with the reports of MIMIC-CXR as `sSTUDY.txt` beside "
    "the study; from description",
    "rank": 12,
}
"""What both uses of the dataset share."""

READER = Joined(
    Table(("mimic-cxr-2.0.0-split.csv*",)),
    Table(("mimic-cxr-2.0.0-metadata.csv*",)),
    on=("dicom_id", "dicom_id"),
    column="metadata",
)

EXAMPLE: dict[str, Any] = {
    "dicom_id": "02aa804e-bde0afdd-112c0b34-7bc16630-4e384014",
    "study_id": "50414267",
    "subject_id": "10000032",
    "split": "train",
    "metadata": [{"ViewPosition": "PA"}],
}


def study(row: Row, intake: Intake) -> tuple[dict[str, str], dict[str, Any]]:
    """Returns the sections of a study's report, and the fields that its records share."""
    subject, number = row.text("subject_id"), row.text("study_id")
    folder = f"files/p{subject[:2]}/p{subject}"
    report = intake.path(f"{folder}/s{number}.txt", f"{folder}/s{number}/s{number}.txt")
    found = sections(report.read_text(encoding="utf-8", errors="backslashreplace"))
    if not found.get("findings") and not found.get("impression"):
        raise DataError("the report has neither findings nor impression", field="report")
    split = row.maybe("split")
    views = [view for other in row.values["metadata"] if (view := other.get("ViewPosition"))]
    return found, {
        "images": pictures_of(intake, f"{folder}/s{number}/{row.text('dicom_id')}.jpg"),
        "modality": Modality.XRAY,
        "split": "validation" if split == "validate" else split,
        "group": intake.group(subject),
        "tags": {"view": views[0]} if views else {},
    }


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the report of a radiograph."""
    found, common = study(row, intake)
    yield intake.make(
        Report,
        row.text("study_id"),
        findings=found.get("findings", ""),
        impression=found.get("impression", ""),
        indication=found.get("indication") or found.get("history"),
        **common,
    )


SOURCE = Source(
    card=Card(
        title="MIMIC-CXR",
        part=("instruction",),
        what="Chest radiographs with the reports of the radiologists.",
        **CARD,
    ),
    reader=READER,
    records=records,
    example=EXAMPLE,
)
