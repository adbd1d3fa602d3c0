"""PathVQA: questions about pathology pictures of textbooks (He et al., 2020)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.modality import Modality
from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require


def _rows(folder: Path) -> Iterator[Raw]:
    for path in require(folder, "data/test-*.parquet", "test.jsonl"):
        for number, row in enumerate(read_rows(path)):
            yield {**row, "number": f"{path.stem} {number}"}


def _record(row: Raw, maker: Maker) -> Question:
    return maker.words(
        row["number"],
        row["question"],
        row["answer"],
        images=maker.pictures(row["image"]),
        modality=Modality.HISTOPATHOLOGY,
        question_type=row["question"].split()[0].lower().strip(",?"),
    )


BENCHMARK = Benchmark(
    card=Card(
        title="PathVQA",
        kind="multimodal",
        source="flaviagiammarino/path-vqa",
        revision="1685832883334b5bb5beaf4e4b333fdeecaa4ad9",
        split="test",
        licence="MIT",
        citation="He et al., PathVQA: 30000+ questions for medical visual question answering, 2020",
        items=6719,
        pictures=858,
        paper_items=6719,
        paper_pictures=858,
        odd=(
            "Not every picture is histology: gross specimens, drawings and photographs are among "
            "them and are not marked.",
            "Questions were generated from captions; some cannot be answered from the picture.",
        ),
    ),
    rows=_rows,
    record=_record,
    example={
        "number": "test 0",
        "image": "0.jpg",
        "question": "what have been stripped from the bottom half of each specimen?",
        "answer": "the fat",
    },
    files=("data/test-*.parquet",),
    breakdown=("question_type",),
)
