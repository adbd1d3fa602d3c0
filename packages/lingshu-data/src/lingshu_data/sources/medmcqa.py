"""MedMCQA: questions of Indian medical entrance examinations."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import choice
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question with its options."""
    options = [row.text(f"op{letter}") for letter in "abcd"]
    said = row.maybe("cop")
    yield choice(
        intake,
        row.text("question"),
        options,
        None if said is None else int(said) - 1,
        row.text("id"),
        rationale=row.maybe("exp"),
        split=row.maybe("split"),
        tags={"subject": row.maybe("subject_name") or "unknown"},
    )


SOURCE = Source(
    card=Card(
        title="MedMCQA",
        part=("more",),
        what="Questions of Indian medical entrance examinations with options.",
        size="193,155 questions",
        licence="Apache-2.0",
        access="open",
        home="https://github.com/medmcqa/medmcqa",
        citation="Pal et al., MedMCQA, CHIL 2022.",
        layout="`train.json`, `dev.json`, `test.json`, one object a line; seen in a copy of "
        "`dev.json`",
        rank=16,
    ),
    reader=JsonRows(
        ("*.json",),
        lines=True,
        splits={"train": "train", "dev": "validation", "test": "test"},
    ),
    records=records,
    example={
        "question": "Which of the following is not true for myelinated nerve fibers:",
        "exp": None,
        "cop": 1,
        "opa": "Impulse is slower than in others",
        "opb": "Currents are generated at nodes",
        "opc": "Saltatory conduction is seen",
        "opd": "Anaesthesia works where there is no sheath",
        "subject_name": "Physiology",
        "topic_name": None,
        "id": "45258d3d",
        "choice_type": "multi",
        "split": "validation",
    },
)
