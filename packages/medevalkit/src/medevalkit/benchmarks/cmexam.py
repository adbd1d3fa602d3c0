"""CMExam: the Chinese licensing exam, several right options among them (Liu et al., 2023)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lingshu_core.errors import DataError
from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require

_LINE = re.compile(r"^\s*([A-Z])\s*[.、\uff0e:\uff1a]?\s*(.+)$", re.MULTILINE)


def _rows(folder: Path) -> Iterator[Raw]:
    for path in require(folder, "test_with_annotations.csv", "test.csv", "data/test*.csv"):
        yield from read_rows(path)


def _options(found: Any) -> dict[str, str]:
    if isinstance(found, list):
        return {option["key"]: option["value"] for option in found}
    return dict(_LINE.findall(str(found)))


def _record(row: Raw, maker: Maker) -> Question:
    answer = re.sub(r"[^A-Z]", "", str(row["Answer"]).upper())
    if not answer:
        raise DataError("has no answer", field="Answer")
    return maker.choice(
        f"{row['Question']} {row['Options']}",
        row["Question"],
        _options(row["Options"]),
        answer,
        language="zh",
        question_type="one" if len(answer) == 1 else "several",
        subject=row.get("Clinical Department"),
        difficulty=row.get("Difficulty level"),
    )


BENCHMARK = Benchmark(
    card=Card(
        title="CMExam",
        kind="text",
        source="fzkuji/CMExam",
        revision=None,
        split="test",
        licence="Apache-2.0",
        citation="Liu et al., Benchmarking large language models on CMExam, NeurIPS 2023",
        items=6811,
        odd=(
            "Some 7 % of the questions have several right options: all of them have to be named. "
            "The official kit can never credit them.",
        ),
    ),
    rows=_rows,
    record=_record,
    example={
        "Question": "下列哪些是女性生殖腺",
        "Options": "A 卵巢\nB 前庭大腺\nC 睾丸\nD 乳腺",
        "Answer": "AB",
        "Clinical Department": "妇科",
        "Difficulty level": "3",
    },
    files=("*test*.csv", "data/*test*.csv"),
    breakdown=("question_type", "subject", "difficulty"),
    official=Official(label="{letter}.{text}"),
)
