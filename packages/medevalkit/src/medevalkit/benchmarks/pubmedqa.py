"""PubMedQA, labelled by experts: what an abstract says (Jin et al., 2019)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import find, read_json, read_rows, require

_OPTIONS = ("yes", "no", "maybe")


def _rows(folder: Path) -> Iterator[Raw]:
    if original := find(folder, "ori_pqal.json", "data/ori_pqal.json"):
        truth = require(folder, "test_ground_truth.json", "data/test_ground_truth.json")
        whole = read_json(original[0])
        for key, answer in read_json(truth[0]).items():
            row = whole[key]
            yield {
                "id": key,
                "question": row["QUESTION"],
                "contexts": row["CONTEXTS"],
                "answer": answer,
            }
        return
    for path in require(folder, "data/test-*.parquet", "test.jsonl"):
        for row in read_rows(path):
            data = row["data"]
            yield {
                "id": row["id"],
                "question": data["Question"],
                "contexts": data["Context"],
                "answer": _OPTIONS["ABC".index(data["Correct Option"])],
            }


def _record(row: Raw, maker: Maker) -> Question:
    context = "\n".join(row["contexts"])
    return maker.choice(
        str(row["id"]),
        f"Context: {context}\n{row['question']}",
        _OPTIONS,
        _OPTIONS.index(row["answer"]),
        gold_text=row["answer"],
    )


def _raw_question(record: Question) -> str:
    context, _, question = record.question.rpartition("\n")
    return f"{context}\n{question}"


BENCHMARK = Benchmark(
    card=Card(
        title="PubMedQA",
        kind="text",
        source="openlifescienceai/pubmedqa",
        revision="50fc41dcd0bd6eb63c18d436d854c6f9e8f3c7e2",
        split="test",
        licence="MIT",
        citation="Jin et al., PubMedQA: a dataset for biomedical research question answering, "
        "EMNLP 2019",
        items=500,
        paper_items=500,
        odd=("Yes, no and maybe stand as options A, B and C, as the paper asks it.",),
    ),
    rows=_rows,
    record=_record,
    example={
        "id": "1",
        "question": "Does the drug lower the pressure?",
        "contexts": ["Forty patients took it.", "Pressure fell in all."],
        "answer": "yes",
    },
    files=("data/test-*.parquet",),
    breakdown=("gold_text",),
    official=Official(label="{letter}.{text}", question=_raw_question),
)
