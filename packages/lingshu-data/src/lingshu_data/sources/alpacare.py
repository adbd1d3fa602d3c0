"""AlpaCare-MedInstruct-52k: medical tasks of many kinds with answers of a model."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import alpaca
from lingshu_data.reader import Row
from lingshu_data.readers.either import Either
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.readers.parquet import Parquet
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields an instruction with its response."""
    if row.maybe("input") == "<noinput>":
        row = Row({**row.values, "input": None}, row.place)
    yield alpaca(row, intake, split="train")


SOURCE = Source(
    card=Card(
        title="AlpaCare-MedInstruct-52k",
        part=("text",),
        what="Medical tasks of many kinds, made from seeds of clinicians by GPT-4 and ChatGPT.",
        size="52,002 instructions",
        licence="CC-BY-NC-4.0",
        access="open",
        home="https://github.com/XZhang97666/AlpaCare",
        citation="Zhang et al., AlpaCare, 2025.",
        layout="`data/train-*.parquet` or `MedInstruct-52k.json` with `instruction`, `input`, "
        "`output`; from description",
        rank=64,
        hub="lavita/AlpaCare-MedInstruct-52k",
    ),
    reader=Either((Parquet(("**/*.parquet",)), JsonRows(("**/MedInstruct*.json",)))),
    records=records,
    example={
        "instruction": "Summarise the medication list.",
        "input": "Metformin 500 mg twice a day, ramipril 5 mg once a day.",
        "output": "The patient takes metformin and ramipril.",
    },
)
