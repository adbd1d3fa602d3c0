"""CheXpert Plus: chest radiographs with reports in sections."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase, Report
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the report of a radiograph."""
    path = row.text("path_to_image")
    png = path.removesuffix(".jpg") + ".png"
    yield intake.make(
        Report,
        path,
        findings=row.maybe("section_findings") or "",
        impression=row.maybe("section_impression") or "",
        indication=row.maybe("section_clinical_history") or row.maybe("section_history"),
        images=pictures_of(intake, f"PNG/{png}|{path}|{png}"),
        modality=Modality.XRAY,
        split={"valid": "validation"}.get(row.maybe("split") or "", row.maybe("split")),
        group=intake.group(row.text("deid_patient_id")),
        tags={"view": view} if (view := row.maybe("ap_pa") or row.maybe("frontal_lateral")) else {},
    )


SOURCE = Source(
    card=Card(
        title="CheXpert Plus",
        part=("instruction",),
        what="Chest radiographs with the radiologists' reports, taken apart into sections.",
        size="223,462 pairs of 187,711 studies",
        licence="Stanford University Dataset Research Use Agreement",
        access="agreement",
        home="https://stanfordaimi.azurewebsites.net/",
        citation="Chambon et al., CheXpert Plus, 2024.",
        layout="`df_chexpert_plus_240401.csv` with `path_to_image` and sections, and `PNG/`; file "
        "and columns seen in public code",
        rank=12,
    ),
    reader=Table(("**/df_chexpert_plus_*.csv",)),
    records=records,
    example={
        "path_to_image": "train/patient00001/study1/view1_frontal.jpg",
        "frontal_lateral": "Frontal",
        "ap_pa": "AP",
        "deid_patient_id": "patient00001",
        "section_findings": "The lungs are clear. The heart is of normal size.",
        "section_impression": "No acute disease.",
        "section_clinical_history": "",
        "section_history": "",
        "split": "train",
    },
)
