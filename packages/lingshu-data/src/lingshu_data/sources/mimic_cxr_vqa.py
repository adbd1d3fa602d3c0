"""MIMIC-Ext-MIMIC-CXR-VQA: templated questions about chest radiographs."""

from collections.abc import Iterator

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of, question
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question; several answers are joined by commas, none of them means none."""
    answers = row.values.get("answer")
    if not isinstance(answers, list):
        raise DataError("is no list", field="answer")
    path = row.text("image_path")
    yield question(
        intake,
        row.text("question"),
        ", ".join(answers) or "none",
        row.text("idx"),
        images=pictures_of(intake, f"files/{path}|{path}"),
        modality=Modality.XRAY,
        split={"valid": "validation"}.get(row.text("split"), row.text("split")),
        group=intake.group(row.text("subject_id")),
        tags={"topic": row.text("content_type"), "semantic": row.text("semantic_type")},
    )


SOURCE = Source(
    card=Card(
        title="MIMIC-Ext-MIMIC-CXR-VQA",
        part=("instruction", "rl"),
        what="Questions about chest radiographs of MIMIC-CXR, made from templates and annotations.",
        size="377,391 questions",
        licence="PhysioNet Credentialed Health Data License 1.5.0",
        access="agreement",
        home="https://physionet.org/content/mimic-ext-mimic-cxr-vqa/",
        citation="Bae et al., EHRXQA, NeurIPS 2023.",
        layout="`train.json`, `valid.json`, `test.json` with `image_path` below the `files/` of "
        "MIMIC-CXR-JPG; from description",
        rank=25,
    ),
    reader=JsonRows(("**/train.json", "**/valid.json", "**/test.json")),
    records=records,
    example={
        "split": "train",
        "idx": 0,
        "subject_id": "16345504",
        "study_id": "52282549",
        "image_id": "a1",
        "image_path": "p16/p16345504/s52282549/a1.jpg",
        "question": "Are there any technical assessment issues?",
        "semantic_type": "verify",
        "content_type": "abnormality",
        "answer": ["yes"],
    },
)
