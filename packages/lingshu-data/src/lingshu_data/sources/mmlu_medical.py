"""MMLU, the six medical subjects."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import choice, place_of
from lingshu_data.reader import Row
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question with its options."""
    options = [row.text(letter) for letter in "ABCD"]
    subject = row.place.rpartition("/")[2].rpartition("_")[0]
    yield choice(
        intake,
        row.text("question"),
        options,
        place_of(row.text("answer"), options),
        subject,
        split=row.maybe("split"),
        tags={"subject": subject},
    )


SOURCE = Source(
    card=Card(
        title="MMLU, medical subjects",
        part=("more",),
        what="Questions on anatomy, genetics, biology, medicine and clinical knowledge with "
        "options.",
        size="1,089 test questions in six subjects",
        licence="MIT",
        access="open",
        home="https://github.com/hendrycks/test",
        citation="Hendrycks et al., MMLU, ICLR 2021.",
        layout="`SUBJECT_test.csv` without a header: question, four options, letter; seen in a "
        "copy",
        rank=14,
    ),
    reader=Table(
        ("**/*_test.csv",),
        columns=("question", "A", "B", "C", "D", "answer"),
        splits={"_test": "test"},
    ),
    records=records,
    example={
        "question": "The stomach lies in which quarter of the abdomen?",
        "A": "Left upper",
        "B": "Right upper",
        "C": "Left lower",
        "D": "Right lower",
        "answer": "A",
        "split": "test",
    },
)
