"""IU-Xray: chest radiographs of Indiana University with reports."""

from collections.abc import Iterator
from xml.etree import ElementTree

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase, Report
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.documents import Documents
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the report of a study with all its radiographs."""
    try:
        tree = ElementTree.fromstring(row.text("text"))
    except ElementTree.ParseError as error:
        raise DataError(f"is no XML: {error}", field="text") from None
    said = {
        (part.get("Label") or "").lower(): " ".join((part.text or "").split())
        for part in tree.iter("AbstractText")
    }
    names = [image.get("id") for image in tree.iter("parentImage")]
    if not names:
        raise DataError("names no picture", field="parentImage")
    yield intake.make(
        Report,
        row.text("path"),
        findings=said.get("findings", ""),
        impression=said.get("impression", ""),
        indication=said.get("indication") or None,
        images=pictures_of(intake, *(f"NLMCXR_png/{name}.png|{name}.png" for name in names)),
        modality=Modality.XRAY,
        group=intake.group(row.text("path")),
    )


SOURCE = Source(
    card=Card(
        title="IU-Xray",
        part=("instruction",),
        what="Chest radiographs of Indiana University with the radiologists' reports.",
        size="3,955 reports, 7,470 radiographs",
        licence="CC-BY-NC-ND-4.0",
        access="open",
        home="https://openi.nlm.nih.gov/faq#collection",
        citation="Demner-Fushman et al., JAMIA 2016.",
        layout="`NLMCXR_reports/ecgen-radiology/N.xml` and `NLMCXR_png/ID.png`; from description",
        rank=12,
    ),
    reader=Documents(("**/ecgen-radiology/*.xml",)),
    records=records,
    example={
        "path": "NLMCXR_reports/ecgen-radiology/1.xml",
        "text": "<eCitation><MedlineCitation><Article><Abstract>"
        '<AbstractText Label="INDICATION">Positive TB test</AbstractText>'
        '<AbstractText Label="FINDINGS">The heart is normal. The lungs are clear.</AbstractText>'
        '<AbstractText Label="IMPRESSION">Normal chest.</AbstractText>'
        "</Abstract></Article></MedlineCitation>"
        '<parentImage id="CXR1_1_IM-0001-3001"/><parentImage id="CXR1_1_IM-0001-4001"/>'
        "</eCitation>",
    },
)
