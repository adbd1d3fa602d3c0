"""PubMedQA: research questions that abstracts answer with yes, no or maybe."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import question
from lingshu_data.reader import Row
from lingshu_data.readers.either import Either
from lingshu_data.readers.joined import Joined
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question behind its abstract; the published 500 of the test have their split."""
    context = "\n".join(row.values["CONTEXTS"])
    yield question(
        intake,
        f"{context}\n{row.text('QUESTION')}",
        row.text("final_decision"),
        row.text("pmid"),
        closed=True,
        rationale=row.maybe("LONG_ANSWER"),
        group=intake.group(row.text("pmid")),
        split="test" if row.values.get("test") else "train",
    )


_LABELLED = JsonRows(("**/ori_pqal.json",), key="pmid")

SOURCE = Source(
    card=Card(
        title="PubMedQA",
        part=("more",),
        what="Research questions that abstracts of PubMed answer with yes, no or maybe.",
        size="1,000 labelled questions, 500 of them the test",
        licence="MIT",
        access="open",
        home="https://github.com/pubmedqa/pubmedqa",
        citation="Jin et al., PubMedQA, EMNLP 2019.",
        layout="`ori_pqal.json`, an object by PMID, and `test_ground_truth.json`; seen in a copy",
        rank=12,
    ),
    reader=Either(
        (
            Joined(
                _LABELLED,
                JsonRows(("**/test_ground_truth.json",), key="pmid"),
                on=("pmid", "pmid"),
                column="test",
            ),
            _LABELLED,
        )
    ),
    records=records,
    example={
        "pmid": "21645374",
        "QUESTION": "Do mitochondria play a role in leaves?",
        "CONTEXTS": ["Programmed cell death is regulated.", "Mitochondria were looked at."],
        "LONG_ANSWER": "They do.",
        "final_decision": "yes",
        "test": [],
    },
)
