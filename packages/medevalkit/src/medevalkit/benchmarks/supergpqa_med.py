"""SuperGPQA, its medical discipline: up to ten options (M-A-P team, 2025)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require


def _rows(folder: Path) -> Iterator[Raw]:
    for path in require(folder, "SuperGPQA-all.jsonl", "data/train-*.parquet"):
        for row in read_rows(path):
            if row["discipline"] == "Medicine":
                yield row


def _record(row: Raw, maker: Maker) -> Question:
    return maker.choice(
        row["uuid"],
        row["question"],
        row["options"],
        row["answer_letter"],
        subject=row["field"],
        difficulty=row["difficulty"],
    )


BENCHMARK = Benchmark(
    card=Card(
        title="SuperGPQA (Medicine)",
        kind="text",
        source="m-a-p/SuperGPQA",
        revision="4430d4458112c7d4497fdcf94d7cc223313d6acf",
        split="train",
        licence="ODC-By-1.0",
        citation="M-A-P team, SuperGPQA: scaling LLM evaluation across 285 graduate disciplines, "
        "2025",
        items=2755,
        paper_items=2755,
        odd=(
            "The publisher's only split is called train.",
            "A small part of its questions was taken from MedMCQA and MedQA.",
            "The official kit swaps its tables by field and by difficulty.",
        ),
    ),
    rows=_rows,
    record=_record,
    example={
        "uuid": "u1",
        "question": "Which enzyme is missing?",
        "options": ["Lactase", "Amylase", "Lipase"],
        "answer": "Lipase",
        "answer_letter": "C",
        "discipline": "Medicine",
        "field": "Clinical Medicine",
        "difficulty": "hard",
    },
    files=("SuperGPQA-all.jsonl",),
    breakdown=("subject", "difficulty"),
    official=Official(label="{letter}.{text}"),
)
