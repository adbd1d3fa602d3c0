"""CMB-Exam: Chinese exams of six health professions, one right option (Wang et al., 2024)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.errors import DataError
from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import find, read_rows, require

_ONE_ANSWER = "单项选择题"


def _rows(folder: Path) -> Iterator[Raw]:
    questions = require(
        folder,
        "CMB-Exam/CMB-test/CMB-test-choice-question-merge.json",
        "CMB-test/CMB-test-choice-question-merge.json",
        "CMB-test-choice-question-merge.json",
    )[0]
    answers = find(folder, "**/CMB-test-choice-answer.json")
    known = {row["id"]: row["answer"] for row in read_rows(answers[0])} if answers else {}
    for number, row in enumerate(read_rows(questions), 1):
        if row["question_type"] == _ONE_ANSWER:
            key = row.get("id", number)
            yield {**row, "id": key, "answer": row.get("answer") or known.get(key)}


def _record(row: Raw, maker: Maker) -> Question:
    if not row["answer"]:
        raise DataError("has no answer: put CMB-test-choice-answer.json beside it", field="answer")
    options = row["option"]
    if isinstance(options, list):
        options = {option["key"]: option["value"] for option in options}
    return maker.choice(
        str(row["id"]),
        row["question"],
        options,
        row["answer"],
        language="zh",
        subject=row["exam_type"],
    )


BENCHMARK = Benchmark(
    card=Card(
        title="CMB-Exam",
        kind="text",
        source="FreedomIntelligence/CMB",
        revision=None,
        split="test",
        licence="Apache-2.0",
        citation="Wang et al., CMB: a comprehensive medical benchmark in Chinese, NAACL 2024",
        items=10010,
        odd=(
            "Of 11,200 test questions the 10,010 with one right option, as the official kit takes "
            "them.",
            "The hub has the questions alone; the answers lie in the publisher's repository and "
            "have to be put beside them. Without them the official kit scores 0.",
        ),
    ),
    rows=_rows,
    record=_record,
    example={
        "id": 1,
        "exam_type": "医师考试",
        "question": "女性生殖腺是",
        "question_type": _ONE_ANSWER,
        "option": {"A": "卵巢", "B": "前庭大腺", "C": "前庭球", "D": "乳腺", "E": ""},
        "answer": "A",
    },
    files=("CMB-Exam/CMB-test/*.json",),
    breakdown=("subject",),
    official=Official(label="{letter}.{text}"),
)
