"""MedXpertQA, text part: board questions with ten options (Zuo et al., 2025)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from medevalkit.benchmark import Raw
from medevalkit.benchmarks import medxpertqa_mm as mm


def _rows(folder: Path) -> Iterator[Raw]:
    yield from mm.rows(folder, "Text")


BENCHMARK = replace(
    mm.BENCHMARK,
    card=replace(
        mm.BENCHMARK.card,
        title="MedXpertQA-Text",
        kind="text",
        items=2450,
        pictures=None,
        paper_items=4500,
        paper_pictures=None,
    ),
    rows=_rows,
    example={
        "id": "Text-20",
        "question": "Which test confirms it?\nAnswer Choices: (A) Culture (B) Assay (C) Stain",
        "options": {"A": "Culture", "B": "Assay", "C": "Stain"},
        "label": "A",
        "medical_task": "Diagnosis",
        "body_system": "Lymphatic",
        "question_type": "Understanding",
    },
    files=("Text/test.jsonl",),
)
