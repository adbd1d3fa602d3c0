"""MedMCQA: Indian entrance exams, the validation split (Pal et al., 2022)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import find, read_rows, require


def _rows(folder: Path) -> Iterator[Raw]:
    if original := find(folder, "dev.json"):
        for row in read_rows(original[0]):
            # The original counts from 1, the hub from 0.
            yield {**row, "cop": row["cop"] - 1}
        return
    for path in require(folder, "data/validation-*.parquet"):
        yield from read_rows(path)


def _record(row: Raw, maker: Maker) -> Question:
    return maker.choice(
        row["id"],
        row["question"],
        [row[f"op{letter}"] for letter in "abcd"],
        int(row["cop"]),
        subject=row["subject_name"],
        question_type=row["choice_type"],
    )


BENCHMARK = Benchmark(
    card=Card(
        title="MedMCQA",
        kind="text",
        source="openlifescienceai/medmcqa",
        revision="91c6572c454088bf71b679ad90aa8dffcd0d5868",
        split="validation",
        licence="Apache-2.0",
        citation="Pal et al., MedMCQA: a large-scale multi-subject multi-choice dataset for "
        "medical domain question answering, CHIL 2022",
        items=4183,
        paper_items=4183,
        odd=(
            "The validation split: the answers of the test split are not published.",
            "Questions marked `multi` have one right option too.",
        ),
    ),
    rows=_rows,
    record=_record,
    example={
        "id": "45258d3d",
        "question": "Which is not true of myelinated fibres?",
        "opa": "They are slower",
        "opb": "They have nodes",
        "opc": "They saltate",
        "opd": "They have sheaths",
        "cop": 0,
        "subject_name": "Physiology",
        "choice_type": "multi",
    },
    files=("data/validation-*.parquet",),
    breakdown=("subject", "question_type"),
)
