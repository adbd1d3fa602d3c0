"""MedQA-USMLE with four options: the licensing exams of the United States (Jin et al., 2021)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require


def _rows(folder: Path) -> Iterator[Raw]:
    for path in require(folder, "phrases_no_exclude_test.jsonl", "data/test-*.parquet"):
        yield from read_rows(path)


def _record(row: Raw, maker: Maker) -> Question:
    return maker.choice(
        row["question"],
        row["question"],
        row["options"],
        row["answer_idx"],
        difficulty=row.get("meta_info"),
    )


BENCHMARK = Benchmark(
    card=Card(
        title="MedQA-USMLE",
        kind="text",
        source="GBaker/MedQA-USMLE-4-options",
        revision="0fb93dd23a7339b6dcd27e241cb9b5eca62d4d18",
        split="test",
        licence="MIT",
        citation="Jin et al., What disease does this patient have?, Applied Sciences 11, 2021",
        items=1273,
        paper_items=1273,
    ),
    rows=_rows,
    record=_record,
    example={
        "question": "A man has a fever. What is next?",
        "answer": "Culture",
        "options": {"A": "Culture", "B": "Surgery", "C": "Nothing", "D": "Statins"},
        "meta_info": "step1",
        "answer_idx": "A",
    },
    files=("phrases_no_exclude_test.jsonl",),
    breakdown=("difficulty",),
)
