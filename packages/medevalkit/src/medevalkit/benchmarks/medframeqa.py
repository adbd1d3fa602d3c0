"""MedFrameQA: choices that need several frames of a video to answer (Yu et al., 2025)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.modality import Modality
from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require

_MODALITIES = {
    "ct": Modality.CT,
    "mri": Modality.MRI,
    "x-ray": Modality.XRAY,
    "xray": Modality.XRAY,
    "ultrasound": Modality.ULTRASOUND,
}


def _rows(folder: Path) -> Iterator[Raw]:
    for path in require(folder, "data/test-*.parquet", "test-*.parquet", "test.jsonl"):
        for number, row in enumerate(read_rows(path)):
            yield {**row, "number": f"{path.stem} {number}"}


def _record(row: Raw, maker: Maker) -> Question:
    return maker.choice(
        str(row.get("question_id") or row["number"]),
        row["question"],
        row["options"],
        row["correct_answer"].strip()[:1],
        images=maker.pictures(*(row.get(f"image_{n}") for n in range(1, 6))),
        modality=_MODALITIES.get(str(row.get("modality", "")).lower(), Modality.UNKNOWN),
        body_system=row.get("system"),
        body_part=row.get("organ"),
    )


BENCHMARK = Benchmark(
    card=Card(
        title="MedFrameQA",
        kind="multimodal",
        source="SuhaoYu1020/MedFrameQA",
        revision=None,
        split="test",
        licence="as its publisher says",
        citation="Yu et al., MedFrameQA: a multi-image medical VQA benchmark for clinical "
        "reasoning, 2025",
        items=2851,
        odd=("Frames of instruction videos, two to five an item.",),
    ),
    rows=_rows,
    record=_record,
    example={
        "number": "test 0",
        "question_id": "q1",
        "question": "What changes from the first frame to the second?",
        "options": ["The cyst grows", "The cyst vanishes", "Nothing", "A mass appears"],
        "correct_answer": "B",
        "image_1": "1.png",
        "image_2": "2.png",
        "system": "nervous system",
        "organ": "brain",
        "modality": "MRI",
    },
    files=("data/test-*.parquet",),
    breakdown=("body_system",),
    official=Official(label="{letter}.{text}", tags=False),
)
