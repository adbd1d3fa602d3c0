"""ChatDoctor 5k: consultations that a model has made up."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source
from lingshu_data.sources.healthcaremagic import consultation


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a consultation."""
    yield consultation(row, intake, row.text("input"), row.text("output"))


SOURCE = Source(
    card=Card(
        title="ChatDoctor 5k",
        part=("more",),
        what="Consultations that ChatGPT has made up along a list of diseases.",
        size="5,452 consultations",
        licence="Apache-2.0",
        access="open",
        home="https://github.com/Kent0n-Li/ChatDoctor",
        citation="Li et al., ChatDoctor, Cureus 2023.",
        layout="`chatdoctor5k.json` with `instruction`, `input`, `output`; seen in a copy",
        rank=70,
    ),
    reader=JsonRows(("**/chatdoctor5k.json",)),
    records=records,
    example={
        "instruction": "If you are a doctor, please answer the medical questions.",
        "input": "Doctor, I have been hoarse for a few weeks now.",
        "output": "A hoarse voice for weeks should be looked at by a specialist.",
    },
)
