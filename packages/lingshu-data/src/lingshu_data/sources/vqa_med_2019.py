"""VQA-Med-2019: questions on modality, plane, organ and abnormality."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of, question
from lingshu_data.reader import Row
from lingshu_data.readers.either import Either
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

_FOLDERS = {"train": "Train_images", "validation": "Val_images", "test": "VQAMed2019_Test_Images"}


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a question about a picture; of several accepted answers the first is gold."""
    name, split = row.text("image"), row.maybe("split") or "test"
    folder = _FOLDERS[split]
    category = row.maybe("category")
    yield question(
        intake,
        row.text("question"),
        row.text("answer").split("#")[0],
        name,
        images=pictures_of(
            intake,
            f"{folder}/{name}.jpg|ImageClef-2019-VQA-Med-"
            f"{'Validation' if split == 'validation' else split.title()}ing/"
            f"{folder}/{name}.jpg",
        ),
        split=split,
        group=intake.group(name),
        modality=Modality.UNKNOWN,
        tags={"topic": category} if category else {},
    )


SOURCE = Source(
    card=Card(
        title="VQA-Med-2019",
        part=("instruction", "rl"),
        what="Questions on modality, plane, organ and abnormality of radiology pictures.",
        size="15,292 questions on 4,200 pictures",
        licence="CC-BY-4.0",
        access="open",
        home="https://github.com/abachaa/VQA-Med-2019",
        citation="Ben Abacha et al., VQA-Med, CLEF 2019.",
        layout="`All_QA_Pairs_train.txt` and `_val.txt` (image|question|answer) with "
        "`Train_images/` and `Val_images/`, seen in public code; the test file with references "
        "seen in a copy",
        rank=18,
    ),
    reader=Either(
        (
            Table(
                ("**/All_QA_Pairs_*.txt",),
                delimiter="|",
                columns=("image", "question", "answer"),
                quotes=False,
                splits={"train": "train", "val": "validation"},
            ),
            Table(
                ("**/VQAMed2019_Test_Questions_w_Ref_Answers.txt",),
                delimiter="|",
                columns=("image", "category", "question", "answer"),
                quotes=False,
                splits={"Test": "test"},
            ),
        )
    ),
    records=records,
    example={
        "image": "synpic41148",
        "question": "what kind of image is this?",
        "answer": "cta - ct angiography",
        "split": "train",
    },
)
