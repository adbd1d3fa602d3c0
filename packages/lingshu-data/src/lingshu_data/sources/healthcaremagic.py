"""HealthCareMagic-100k: questions of patients and answers of physicians from a forum."""

from collections.abc import Iterator

from lingshu_core.records import Dialogue, RecordBase, Turn
from lingshu_data.intake import Intake
from lingshu_data.reader import Row
from lingshu_data.readers.either import Either
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.readers.parquet import Parquet
from lingshu_data.source import Card, Source


def consultation(row: Row, intake: Intake, asked: str, said: str) -> Dialogue:
    """Returns a question of a patient and the answer as a dialogue.

    The instruction of the published rows is the same in all of them and says nothing.
    """
    turns = (Turn(role="user", text=asked), Turn(role="assistant", text=said))
    return intake.make(Dialogue, asked, said, turns=turns, split="train")


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a consultation."""
    yield consultation(row, intake, row.text("input"), row.text("output"))


SOURCE = Source(
    card=Card(
        title="HealthCareMagic-100k",
        part=("text",),
        what="Questions of patients and answers of physicians from an online forum.",
        size="112,165 consultations",
        licence="not stated; for research",
        access="open",
        home="https://github.com/Kent0n-Li/ChatDoctor",
        citation="Li et al., ChatDoctor, Cureus 2023.",
        layout="`HealthCareMagic-100k.json` with `instruction`, `input`, `output` (seen in public "
        "code that reads it), or `data/train-*.parquet` with the same columns",
        rank=50,
        hub="lavita/ChatDoctor-HealthCareMagic-100k",
    ),
    reader=Either((JsonRows(("**/HealthCareMagic*.json",)), Parquet(("**/*.parquet",)))),
    records=records,
    example={
        "instruction": "If you are a doctor, please answer the medical questions.",
        "input": "I have a rash on my arm since yesterday, what should I do?",
        "output": "Hello, keep the skin dry and see a physician if it spreads.",
    },
)
