"""MIMIC-CXR as captions: the findings alone, as the paper takes them (Table 1)."""

from collections.abc import Iterator

from lingshu_core.errors import DataError
from lingshu_core.records import Caption, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.reader import Row
from lingshu_data.source import Card, Source
from lingshu_data.sources.mimic_cxr import CARD, EXAMPLE, READER, study


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the findings of a radiograph."""
    found, common = study(row, intake)
    if not found.get("findings"):
        raise DataError("the report has no findings", field="report")
    yield intake.make(Caption, row.text("study_id"), text=found["findings"], **common)


SOURCE = Source(
    card=Card(
        title="MIMIC-CXR, findings as captions",
        part=("captions",),
        what="Chest radiographs with the findings of their reports.",
        **CARD,
    ),
    reader=READER,
    records=records,
    example=EXAMPLE,
)
