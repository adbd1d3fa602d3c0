"""medical-o1-verifiable-problem: open questions whose answers can be checked."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import question
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields an open question."""
    asked, answer = row.text("Open-ended Verifiable Question"), row.text("Ground-True Answer")
    yield question(intake, asked, answer, closed=False, split="train")


SOURCE = Source(
    card=Card(
        title="medical-o1-verifiable-problem",
        part=("text",),
        what="Open questions with short answers, rewritten from examination questions.",
        size="40,644 questions",
        licence="Apache-2.0",
        access="open",
        home="https://huggingface.co/datasets/FreedomIntelligence/medical-o1-verifiable-problem",
        citation="Chen et al., HuatuoGPT-o1, 2024.",
        layout="`medical_o1_verifiable_problem.json`, an array; from description",
        rank=55,
        hub="FreedomIntelligence/medical-o1-verifiable-problem",
    ),
    reader=JsonRows(("**/medical_o1_verifiable_problem*.json",)),
    records=records,
    example={
        "Open-ended Verifiable Question": "Which hormone do the beta cells of the pancreas make?",
        "Ground-True Answer": "Insulin",
    },
)
