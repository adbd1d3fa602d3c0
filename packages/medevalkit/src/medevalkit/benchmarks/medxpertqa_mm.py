"""MedXpertQA, multimodal part: board questions with pictures (Zuo et al., 2025)."""

import re
from collections.abc import Iterator
from pathlib import Path

from lingshu_core.modality import Modality
from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require

_REPEATED = re.compile(r"\s*\nAnswer Choices: \(A\).*", re.DOTALL)
ODD = "The publisher's question ends with all options once more; they are taken off here."


def rows(folder: Path, part: str) -> Iterator[Raw]:
    """Yields the rows of a part, `MM` or `Text`."""
    name = f"medxpertqa_sampled_{part.lower()}_input.jsonl"
    for path in require(folder, f"{part}/test.jsonl", name):
        yield from read_rows(path)


def record(row: Raw, maker: Maker) -> Question:
    """Returns a question; both layouts of options, label and pictures are understood."""
    options = row["options"]
    if isinstance(options, list):
        options = {option["letter"]: option["content"] for option in options}
    label = row["label"]
    pictures = [p["image_path"] if isinstance(p, dict) else p for p in row.get("images", ())]
    images = maker.pictures(*(f"images/{name}" for name in pictures))
    return maker.choice(
        row["id"],
        _REPEATED.sub("", row["question"]),
        options,
        label if isinstance(label, str) else "".join(label),
        images=images,
        modality=Modality.UNKNOWN if images else Modality.TEXT,
        question_type=row["question_type"],
        subject=row["medical_task"],
        body_system=row["body_system"],
    )


def raw_question(record: Question) -> str:
    """Returns a question with its options repeated, as the publisher and the official kit do."""
    options = " ".join(f"({option.letter}) {option.text}" for option in record.options)
    return f"{record.question}\nAnswer Choices: {options}"


def _rows(folder: Path) -> Iterator[Raw]:
    yield from rows(folder, "MM")


BENCHMARK = Benchmark(
    card=Card(
        title="MedXpertQA-MM",
        kind="multimodal",
        source="TsinghuaC3I/MedXpertQA",
        revision="7e7c465a68eb2b866926bfa59c8c9d17a8daba65",
        split="test",
        licence="MIT",
        citation="Zuo et al., MedXpertQA: benchmarking expert-level medical reasoning and "
        "understanding, ICML 2025",
        items=2000,
        pictures=2852,
        paper_items=4500,
        paper_pictures=2852,
        odd=(
            "Table 25 of the paper counts 4,500 for both parts; they have 2,000 and 2,450.",
            ODD,
        ),
    ),
    rows=_rows,
    record=record,
    example={
        "id": "MM-26",
        "question": "Which finding does the picture show?\nAnswer Choices: (A) Cyst (B) Mass",
        "options": {"A": "Cyst", "B": "Mass"},
        "label": "B",
        "images": ["MM-26-a.jpeg", "MM-26-b.jpeg"],
        "medical_task": "Diagnosis",
        "body_system": "Skeletal",
        "question_type": "Reasoning",
    },
    files=("MM/test.jsonl", "images.zip"),
    breakdown=("question_type", "subject", "body_system"),
    official=Official(question=raw_question),
)
