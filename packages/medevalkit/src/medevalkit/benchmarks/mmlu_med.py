"""MMLU, its nine medical subjects (Hendrycks et al., 2021)."""

import csv
from collections.abc import Iterator
from pathlib import Path

from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import find, read_rows, require

_SUBJECTS = (
    "anatomy",
    "clinical_knowledge",
    "college_biology",
    "college_medicine",
    "high_school_biology",
    "medical_genetics",
    "nutrition",
    "professional_medicine",
    "virology",
)


def _rows(folder: Path) -> Iterator[Raw]:
    for subject in _SUBJECTS:
        plain = find(folder, f"{subject}_test.csv", f"test/{subject}_test.csv")
        if plain:
            yield from _plain(plain[0], subject)
        elif find(folder, "*_test.csv", "test/*_test.csv"):
            continue  # a part of the subjects: the card's count tells
        else:
            for path in require(folder, f"{subject}/test-*.parquet"):
                for row in read_rows(path):
                    yield {**row, "subject": subject}


def _plain(path: Path, subject: str) -> Iterator[Raw]:
    with path.open(encoding="utf-8", newline="") as file:
        for question, *choices, answer in csv.reader(file):
            yield {
                "question": question,
                "choices": choices,
                "answer": "ABCD".index(answer),
                "subject": subject,
            }


def _record(row: Raw, maker: Maker) -> Question:
    key = " ".join([row["subject"], row["question"], *row["choices"]])
    return maker.choice(
        key, row["question"], row["choices"], int(row["answer"]), subject=row["subject"]
    )


BENCHMARK = Benchmark(
    card=Card(
        title="MMLU (medical subjects)",
        kind="text",
        source="cais/mmlu",
        revision="c30699e8356da336a370243923dbaf21066bb9fe",
        split="test",
        licence="MIT",
        citation="Hendrycks et al., Measuring massive multitask language understanding, ICLR 2021",
        items=1871,
        paper_items=1897,
        odd=(
            "The nine subjects of the official kit add up to 1,871; the paper says 1,897, and no "
            "choice of whole subjects around these gives that number.",
            "The official kit cannot run this benchmark at all.",
        ),
    ),
    rows=_rows,
    record=_record,
    example={
        "question": "Which nerve supplies the diaphragm?",
        "choices": ["Vagus", "Phrenic", "Accessory", "Ulnar"],
        "answer": 1,
        "subject": "anatomy",
    },
    files=tuple(f"{subject}/test-*.parquet" for subject in _SUBJECTS),
    breakdown=("subject",),
    official=Official(label="{letter}.{text}"),
)
