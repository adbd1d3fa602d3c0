"""The benchmark: `exam.jsonl`, a question with options and the index of the right one a line."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require


def _rows(folder: Path) -> Iterator[Raw]:
    for path in require(folder, "exam.jsonl"):
        yield from read_rows(path)


def _record(row: Raw, maker: Maker) -> Question:
    return maker.choice(str(row["id"]), row["question"], row["options"], row["answer"])


BENCHMARK = Benchmark(
    card=Card(
        title="Plants exam",
        kind="text",
        source="https://example.org/plants",
        revision=None,
        split="test",
        licence="CC0-1.0",
        citation="None; this is an example.",
        items=None,
    ),
    rows=_rows,
    record=_record,
    example={
        "id": 1,
        "question": "Which plant gives digoxin?",
        "options": ["Foxglove", "Willow", "Poppy"],
        "answer": 0,
    },
)
