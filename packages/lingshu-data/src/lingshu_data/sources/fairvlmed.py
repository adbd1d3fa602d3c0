"""FairVLMed: scanning laser ophthalmoscopy with summaries of the clinical notes."""

from collections.abc import Iterator

import numpy as np
from PIL import Image as Pillow

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality
from lingshu_core.records import Caption, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.pictures import Stored, encode, stretch
from lingshu_data.reader import Row
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

_SPLITS = {"training": "train", "validation": "validation", "test": "test"}


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the summary of the note on an eye; what else the row says of the patient is left."""
    name = row.text("filename")
    yield intake.make(
        Caption,
        name,
        text=row.text("gpt4_summary"),
        images=(intake.picture(_picture(intake, name)),) if intake.settings.pictures else (),
        modality=Modality.FUNDUS,
        split=_SPLITS.get(row.maybe("use") or ""),
        group=intake.group(name),
    )


def _picture(intake: Intake, name: str) -> Stored:
    path = intake.path(name, *(f"{folder}/{name}" for folder in ("Training", "Validation", "Test")))
    try:
        with np.load(path, allow_pickle=False) as arrays:
            pixels = np.array(arrays["slo_fundus"])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"the array cannot be read: {error}") from None
    if pixels.ndim not in {2, 3}:
        raise DataError(f"the array has the shape {pixels.shape}")
    return encode(Pillow.fromarray(stretch(pixels)))


SOURCE = Source(
    card=Card(
        title="FairVLMed",
        part=("captions",),
        what="Scanning laser ophthalmoscopy with GPT-4 summaries of de-identified clinical notes.",
        size="10,000 pictures",
        licence="CC-BY-NC-ND-4.0",
        access="agreement",
        home="https://github.com/Harvard-Ophthalmology-AI-Lab/FairCLIP",
        citation="Luo et al., FairCLIP, CVPR 2024.",
        layout="`data_summary.csv` (filename, gpt4_summary, use) and `data_XXXXX.npz` with the "
        "array `slo_fundus`; seen in the dataset's README",
        rank=45,
    ),
    reader=Table(("**/data_summary.csv",)),
    records=records,
    example={
        "filename": "data_00001.npz",
        "gpt4_summary": "The patient has open angles and a cup to disc ratio of 0.7 in both eyes.",
        "glaucoma": "yes",
        "use": "training",
    },
)
