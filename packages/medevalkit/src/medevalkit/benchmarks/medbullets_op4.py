"""MedBullets with four options: Step 2 and 3 questions of 2022 and later (Chen et al., 2025)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require


def rows(folder: Path, options: int) -> Iterator[Raw]:
    """Yields the rows of the set with four or five options."""
    name = f"medbullets_op{options}"
    for path in require(
        folder, f"{name}.csv", f"medbullets/{name}.csv", f"{name}/*.parquet", f"{name}/*.jsonl"
    ):
        for row in read_rows(path):
            yield {**row, "set": f"op{options}"}


def record(row: Raw, maker: Maker) -> Question:
    """Returns a question; options stand in one field or in one each."""
    options = row.get("options") or {
        letter.upper(): row[f"op{letter}"] for letter in "abcde" if row.get(f"op{letter}")
    }
    return maker.choice(
        f"{row['set']} {row['question']}",
        row["question"],
        options,
        row["answer_idx"],
        options_shown=len(options),
    )


def _rows(folder: Path) -> Iterator[Raw]:
    yield from rows(folder, 4)


BENCHMARK = Benchmark(
    card=Card(
        title="MedBullets (4 options)",
        kind="text",
        source="https://github.com/HanjieChen/ChallengeClinicalQA",
        revision=None,
        split="test",
        licence="as its publisher says",
        citation="Chen et al., Benchmarking large language models on answering and explaining "
        "challenging medical questions, NAACL 2025",
        items=308,
        odd=("The paper pools the sets with four and with five options: see medbullets.",),
    ),
    rows=_rows,
    record=record,
    example={
        "set": "op4",
        "question": "A woman faints. What is next?",
        "opa": "Wait",
        "opb": "ECG",
        "opc": "CT",
        "opd": "MRI",
        "answer_idx": "B",
        "answer": "ECG",
    },
    official=Official(label="{letter}.{text}"),
)
