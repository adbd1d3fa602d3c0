"""MedReason: questions with reasoning along a knowledge graph."""

from collections.abc import Iterator

from lingshu_core.errors import DataError
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import choice, lettered_options, place_of, reasoned
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question with its reasoning; an answer that is no option makes it an open one."""
    asked, reasoning = row.text("question"), row.maybe("reasoning")
    answer, _, _ = row.text("answer").partition("Explanation:")
    options = lettered_options(row.maybe("options") or "")
    key = f"{row.maybe('dataset_name')}/{row.maybe('id_in_dataset')}"
    tags = {"collection": row.maybe("dataset_name") or "unknown"}
    try:
        place = place_of(answer, options)
    except DataError:
        yield reasoned(intake, asked, answer.strip(), reasoning, key, split="train", tags=tags)
        return
    yield choice(intake, asked, options, place, key, rationale=reasoning, split="train", tags=tags)


SOURCE = Source(
    card=Card(
        title="MedReason",
        part=("text",),
        what="Medical questions with steps of reasoning along a knowledge graph, by a model.",
        size="32,682 questions",
        licence="Apache-2.0",
        access="open",
        home="https://huggingface.co/datasets/UCSC-VLAA/MedReason",
        citation="Wu et al., MedReason, 2025.",
        layout="`ours_quality_33000.jsonl` with `question`, `answer` (an option's text and an "
        "explanation), `options` (lines), `reasoning`; seen in public code that reads it",
        rank=66,
        hub="UCSC-VLAA/MedReason",
    ),
    reader=JsonRows(("**/*.jsonl",)),
    records=records,
    example={
        "dataset_name": "medmcqa",
        "id_in_dataset": 7131,
        "question": "Urogenital diaphragm is made up of the following, except:",
        "answer": "Colle's fascia. Explanation: Colle's fascia does not contribute.",
        "reasoning": "The diaphragm lies above the perineal membrane.",
        "options": "Answer Choices:\nA. Deep transverse perineus\nB. Perineal membrane\n"
        "C. Colle's fascia\nD. Sphincter urethrae",
    },
)
