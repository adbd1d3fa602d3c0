"""OmniMedVQA, its open-access part: choices over twelve modalities (Hu et al., 2024)."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality
from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Card, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require

_MODALITIES = {
    "ct": Modality.CT,
    "mr": Modality.MRI,
    "x-ray": Modality.XRAY,
    "ultrasound": Modality.ULTRASOUND,
    "dermoscopy": Modality.DERMOSCOPY,
    "fundus": Modality.FUNDUS,
    "oct": Modality.OCT,
    "microscopy": Modality.MICROSCOPY,
    "histopathology": Modality.HISTOPATHOLOGY,
    "endoscopy": Modality.ENDOSCOPY,
    "mammography": Modality.MAMMOGRAPHY,
}
"""By the word that a modality's name begins with."""


def _rows(folder: Path) -> Iterator[Raw]:
    paths = require(
        folder,
        "OmniMedVQA/QA_information/Open-access/*.json",
        "QA_information/Open-access/*.json",
        "Open-access/*.json",
    )
    root = next((up for up in paths[0].parents if (up / "Images").is_dir()), folder)
    base = root.relative_to(folder)
    for path in paths:
        for row in read_rows(path):
            yield {**row, "picture": (base / row["image_path"]).as_posix()}


def _record(row: Raw, maker: Maker) -> Question:
    texts = [str(row.get(f"option_{letter}") or "") for letter in "ABCD"]
    gold = str(row["gt_answer"]).strip()
    places = [at for at, text in enumerate(texts) if text.strip() == gold]
    if not places:
        raise DataError(f"no option is the answer {gold!r}", field="gt_answer")
    return maker.choice(
        row["question_id"],
        row["question"],
        texts,
        places[0],
        images=maker.pictures(row["picture"]),
        modality=_modality(row["modality_type"]),
        question_type=row["question_type"],
        modality_name=row["modality_type"],
        dataset=row["dataset"],
    )


def _modality(name: str) -> Modality:
    low = name.lower()
    return next(
        (found for head, found in _MODALITIES.items() if low.startswith(head)), Modality.OTHER
    )


BENCHMARK = Benchmark(
    card=Card(
        title="OmniMedVQA",
        kind="multimodal",
        source="foreverbeliever/OmniMedVQA",
        revision=None,
        split="Open-access",
        licence="CC-BY-4.0 for the questions; pictures under those of 42 datasets",
        citation="Hu et al., OmniMedVQA: a new large-scale comprehensive evaluation benchmark for "
        "medical LVLM, CVPR 2024",
        items=88996,
        pictures=82059,
        paper_items=88996,
        paper_pictures=82059,
        odd=(
            "The gold is a text: where two options have the same text the first is the gold here "
            "and the last in the official kit; where none has it the row is set aside.",
            "Many questions are made from a few templates over classification datasets.",
            "Two to four options.",
        ),
    ),
    rows=_rows,
    record=_record,
    example={
        "dataset": "ACRIMA",
        "question_id": "ACRIMA_0000",
        "question_type": "Modality Recognition",
        "question": "What imaging technique was employed to obtain this picture?",
        "gt_answer": "Fundus imaging",
        "image_path": "Images/ACRIMA/Im553_g_ACRIMA.png",
        "picture": "Images/ACRIMA/Im553_g_ACRIMA.png",
        "option_A": "PET scan",
        "option_B": "CT scan",
        "option_C": "Blood test",
        "option_D": "Fundus imaging",
        "modality_type": "Fundus Photography",
    },
    files=("OmniMedVQA.zip",),
    breakdown=("question_type", "modality_name"),
)
