"""icliniq-10k: questions of patients and answers of physicians from a forum."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.reader import Row
from lingshu_data.readers.either import Either
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.readers.parquet import Parquet
from lingshu_data.source import Card, Source
from lingshu_data.sources.healthcaremagic import consultation


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a consultation with the physician's answer; those of models are left."""
    yield consultation(row, intake, row.text("input"), row.text("answer_icliniq"))


SOURCE = Source(
    card=Card(
        title="icliniq-10k",
        part=("text",),
        what="Questions of patients and answers of physicians from an online forum.",
        size="7,321 consultations",
        licence="not stated; for research",
        access="open",
        home="https://github.com/Kent0n-Li/ChatDoctor",
        citation="Li et al., ChatDoctor, Cureus 2023.",
        layout="`iCliniq.json` with `input`, `answer_icliniq`, `answer_chatgpt`, "
        "`answer_chatdoctor`, or `data/train-*.parquet` with the same columns; from description",
        rank=48,
        hub="lavita/ChatDoctor-iCliniq",
    ),
    reader=Either((JsonRows(("**/i[cC]liniq*.json",)), Parquet(("**/*.parquet",)))),
    records=records,
    example={
        "input": "Hello doctor, my son coughs at night.",
        "answer_icliniq": "Hello. A cough at night may come from asthma.",
        "answer_chatgpt": "I would see a physician.",
        "answer_chatdoctor": "He may have asthma.",
    },
)
