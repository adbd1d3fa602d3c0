"""VQA-RAD: questions of clinicians about radiological pictures (Lau et al., 2018)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.modality import Modality
from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require

_MODALITIES = {"CHEST": Modality.XRAY, "ABD": Modality.CT}


def _rows(folder: Path) -> Iterator[Raw]:
    for path in require(folder, "data/test-*.parquet", "testset.json"):
        yield from read_rows(path)


def _record(row: Raw, maker: Maker) -> Question:
    organ = row.get("image_organ")
    images = maker.pictures(row["image"] if "image" in row else f"images/{row['image_name']}")
    shown = images[0].sha256 if images else str(row.get("image_name"))
    return maker.words(
        str(row.get("qid") or f"{shown} {row['question']}"),
        row["question"],
        str(row["answer"]),
        images=images,
        modality=_MODALITIES.get(str(organ), Modality.UNKNOWN),
        body_part=organ,
        question_type=row.get("question_type"),
        phrasing=row.get("phrase_type"),
    )


BENCHMARK = Benchmark(
    card=Card(
        title="VQA-RAD",
        kind="multimodal",
        source="flaviagiammarino/vqa-rad",
        revision="bcf91e7654fb9d51c8ab6a5b82cacf3fafd2fae9",
        split="test",
        licence="CC0-1.0",
        citation="Lau et al., A dataset of clinically generated visual questions and answers about "
        "radiology images, Scientific Data 5, 2018",
        items=451,
        pictures=203,
        paper_items=451,
        paper_pictures=203,
        odd=(
            "Closed means answered by yes or no, as the paper counts it (251 of 451); the "
            "publisher's own mark calls 272 closed.",
            "Training and test questions share pictures: scores of models that were trained on the "
            "training split are optimistic.",
            "The hub's copy names neither organ nor question type; the original testset.json does.",
            "Head pictures are CT or MRI and do not say which.",
        ),
    ),
    rows=_rows,
    record=_record,
    example={
        "qid": 11,
        "image_name": "synpic42202.jpg",
        "image_organ": "CHEST",
        "answer": "yes",
        "answer_type": "CLOSED",
        "question_type": "PRES",
        "question": "Is there evidence of an aortic aneurysm?",
        "phrase_type": "freeform",
    },
    files=("data/test-*.parquet",),
    breakdown=("question_type", "body_part", "phrasing"),
)
