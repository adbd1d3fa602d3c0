"""ACI-Bench: visits to the physician, transcribed, with their notes."""

from collections.abc import Iterator

from lingshu_core.records import Dialogue, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.reader import Row
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source
from lingshu_data.sources.mts_dialog import turns_of


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a visit; its note stands in the tags."""
    yield intake.make(
        Dialogue,
        row.text("encounter_id"),
        turns=turns_of(row.text("dialogue")),
        split=row.maybe("split"),
        tags={"topic": row.text("dataset"), "note": row.text("note")},
    )


SOURCE = Source(
    card=Card(
        title="ACI-Bench",
        part=("more",),
        what="Visits to the physician, acted and transcribed, with their notes.",
        size="207 visits",
        licence="CC-BY-4.0",
        access="open",
        home="https://github.com/wyim/aci-bench",
        citation="Yim et al., ACI-Bench, Scientific Data 2023.",
        layout="`train.csv`, `valid.csv` and tests with `dataset`, `encounter_id`, `dialogue`, "
        "`note`; seen in a copy of `valid.csv`",
        rank=20,
    ),
    reader=Table(
        ("**/[tvc]*[!a].csv",),
        splits={"train": "train", "valid": "validation", "test": "test"},
    ),
    records=records,
    example={
        "dataset": "virtassist",
        "encounter_id": "D2N068",
        "dialogue": "[doctor] hi . how are you ?\n[patient] hi , good to see you .",
        "note": "CHIEF COMPLAINT: follow-up.",
        "split": "validation",
    },
)
