"""MMMU, Health & Medicine, validation: college exams with pictures (Yue et al., 2024)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality
from lingshu_core.records import IMAGE_MARK, Question
from medevalkit.benchmark import Benchmark, Card, Official, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require

SUBJECTS = (
    "Basic_Medical_Science",
    "Clinical_Medicine",
    "Diagnostics_and_Laboratory_Medicine",
    "Pharmacy",
    "Public_Health",
)
_MARK = re.compile(r"<image (\d)>")


def rows(folder: Path, split: str) -> Iterator[Raw]:
    """Yields the rows of a split, subject by subject."""
    for subject in SUBJECTS:
        for path in require(folder, f"{subject}/{split}-*.parquet", f"{subject}/{split}.jsonl"):
            for row in read_rows(path):
                yield {**row, "subject": subject}


def record(row: Raw, maker: Maker) -> Question:
    """Returns a question with all its pictures, each where the text names it."""
    options = _literal(row["options"])
    texts = [row["question"], *options]
    named = [int(number) for text in texts for number in _MARK.findall(text)]
    given = [n for n in range(1, 8) if row.get(f"image_{n}") is not None]
    # A picture that no text names is shown first.
    order = [n for n in given if n not in named] + named
    images = maker.pictures(*(row.get(f"image_{n}") for n in order))
    question, *options = [_MARK.sub(IMAGE_MARK, text) if images else text for text in texts]
    question = IMAGE_MARK * (len(order) - len(named) if images else 0) + question
    fields = {
        "images": images,
        "modality": Modality.FIGURE,
        "subject": row["subject"],
        "subfield": row.get("subfield"),
        "difficulty": row.get("topic_difficulty"),
        "picture_type": ", ".join(_literal(row.get("img_type") or "[]")),
    }
    answer = row["answer"]
    if options:
        return maker.choice(
            row["id"], question, options, None if answer == "?" else answer, **fields
        )
    if answer == "?":
        return maker.withheld(row["id"], question, **fields)
    wordings = _literal(answer) if answer.startswith("[") else [answer]
    return maker.words(row["id"], question, wordings, closed=False, **fields)


def raw_question(record: Question) -> str:
    """Returns a question with its marks numbered, as the official kit leaves them in the text."""
    text, number = record.question, 0
    while IMAGE_MARK in text:
        number += 1
        text = text.replace(IMAGE_MARK, f"<image {number}>", 1)
    return text


def _literal(text: str) -> list[str]:
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise DataError(f"is no list of texts: {error}", field="options") from None
    return [str(item) for item in found]


def _rows(folder: Path) -> Iterator[Raw]:
    yield from rows(folder, "validation")


BENCHMARK = Benchmark(
    card=Card(
        title="MMMU Health & Medicine (validation)",
        kind="multimodal",
        source="MMMU/MMMU",
        revision="98e6ac0cb9b7b2cd2c991b85a50762edc4aedc68",
        split="validation",
        licence="Apache-2.0",
        citation="Yue et al., MMMU: a massive multi-discipline multimodal understanding and "
        "reasoning benchmark for expert AGI, CVPR 2024",
        items=150,
        odd=(
            "Table 25 of the paper counts 1,927: the 1,752 of the test split, these 150 and 25 of "
            "the development split. The scores in its Table 6 do not fit 150 items.",
            "All pictures of an item are shown where its text names them; the official kit shows "
            "the first alone.",
        ),
    ),
    rows=_rows,
    record=record,
    example={
        "id": "validation_Clinical_Medicine_1",
        "question": "<image 1> Which of these shows the same organ?",
        "options": "['<image 2>', '<image 3>']",
        "answer": "B",
        "image_1": "1.png",
        "image_2": "2.png",
        "image_3": "3.png",
        "img_type": "['Body Scans: MRI, CT']",
        "topic_difficulty": "Medium",
        "subfield": "Clinical Radiology",
        "question_type": "multiple-choice",
        "subject": "Clinical_Medicine",
    },
    files=tuple(f"{subject}/validation-*.parquet" for subject in SUBJECTS),
    breakdown=("subject", "difficulty", "picture_type"),
    official=Official(label="({letter}) {text}", parser="mmmu", question=raw_question),
)
