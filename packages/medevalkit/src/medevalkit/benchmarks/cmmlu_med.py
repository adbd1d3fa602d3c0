"""CMMLU, its seven medical subjects: Chinese multitask knowledge (Li et al., 2024)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require

_SUBJECTS = (
    "anatomy",
    "clinical_knowledge",
    "college_medicine",
    "genetics",
    "nutrition",
    "traditional_chinese_medicine",
    "virology",
)


def _rows(folder: Path) -> Iterator[Raw]:
    for subject in _SUBJECTS:
        for path in require(folder, f"test/{subject}.csv", f"data/test/{subject}.csv"):
            for row in read_rows(path):
                yield {**row, "subject": subject}


def _record(row: Raw, maker: Maker) -> Question:
    return maker.choice(
        f"{row['subject']} {row['Question']}",
        row["Question"],
        {letter: row[letter] for letter in "ABCD"},
        row["Answer"],
        language="zh",
        subject=row["subject"],
    )


BENCHMARK = Benchmark(
    card=Card(
        title="CMMLU (medical subjects)",
        kind="text",
        source="haonan-li/cmmlu",
        revision=None,
        split="test",
        licence="CC-BY-NC-SA-4.0",
        citation="Li et al., CMMLU: measuring massive multitask language understanding in Chinese, "
        "ACL Findings 2024",
        items=1333,
        odd=("The official kit cannot load the publisher's layout.",),
    ),
    rows=_rows,
    record=_record,
    example={
        "Question": "女性生殖腺是",
        "A": "卵巢",
        "B": "前庭大腺",
        "C": "前庭球",
        "D": "乳腺",
        "Answer": "A",
        "subject": "anatomy",
    },
    files=("cmmlu_v1_0_1.zip",),
    breakdown=("subject",),
    official=Official(label="{letter}.{text}"),
)
