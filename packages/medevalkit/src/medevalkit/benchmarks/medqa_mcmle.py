"""MedQA-MCMLE: the licensing exam of mainland China (Jin et al., 2021)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require


def _rows(folder: Path) -> Iterator[Raw]:
    for path in require(folder, "data/train-*.parquet", "*.parquet", "test.jsonl", "*.jsonl"):
        yield from read_rows(path)


def _record(row: Raw, maker: Maker) -> Question:
    return maker.choice(
        f"{row['question']} {row['options']}",
        row["question"],
        row["options"],
        row["answer_idx"],
        language="zh",
    )


BENCHMARK = Benchmark(
    card=Card(
        title="MedQA-MCMLE",
        kind="text",
        source="shuyuej/MedQA-MCMLE-Benchmark",
        revision=None,
        split="train",
        licence="MIT",
        citation="Jin et al., What disease does this patient have?, Applied Sciences 11, 2021",
        items=None,
        odd=(
            "The hub's copy calls its only split train; how many rows it has could not be looked "
            "up when this was written.",
            "The official kit asks for a letter and shows none.",
        ),
    ),
    rows=_rows,
    record=_record,
    example={
        "question": "女性生殖腺是",
        "options": {"A": "卵巢", "B": "前庭大腺", "C": "前庭球", "D": "乳腺"},
        "answer": "卵巢",
        "answer_idx": "A",
    },
    files=("data/train-*.parquet", "*.jsonl"),
    official=Official(label="{text}"),
)
