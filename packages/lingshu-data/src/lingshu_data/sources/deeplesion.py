"""DeepLesion: key slices of CT with boxes around lesions."""

from collections.abc import Iterator

import numpy as np
from PIL import Image as Pillow

from lingshu_core.modality import Modality
from lingshu_core.records import Imaging, RecordBase
from lingshu_data.boxes import corner_box
from lingshu_data.intake import Intake
from lingshu_data.pictures import encode, open_header, stretch
from lingshu_data.reader import Row
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

_WATER = 32768
"""What the pictures add to Hounsfield units."""
_TYPES = {
    "1": "bone lesion", "2": "abdominal lesion", "3": "mediastinal lesion", "4": "liver lesion",
    "5": "lung lesion", "6": "kidney lesion", "7": "soft tissue lesion", "8": "pelvic lesion",
}  # fmt: skip
_SPLITS = {"1": "train", "2": "validation", "3": "test"}


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a key slice in the window that was used to read it."""
    folder, _, slice_name = row.text("File_name").rpartition("_")
    path = intake.path(f"Images_png/{folder}/{slice_name}", f"images/{folder}/{slice_name}")
    low, high = (float(value) for value in row.text("DICOM_windows").split(","))
    with open_header(path) as opened:
        pixels = np.asarray(opened).astype(np.int32) - _WATER
    left, upper, right, lower = (float(v) for v in row.text("Bounding_boxes").split(","))
    name = _TYPES.get(row.text("Coarse_lesion_type"), "lesion")
    box = corner_box(left, upper, right, lower, name)
    if box is None:
        intake.note("box without area")
    yield intake.make(
        Imaging,
        row.text("File_name"),
        row.text("Bounding_boxes"),
        split=_SPLITS.get(row.maybe("Train_Val_Test") or ""),
        group=intake.group(row.text("Patient_index")),
        modality=Modality.CT,
        view="axial",
        images=(intake.picture(encode(Pillow.fromarray(stretch(pixels, low, high)))),),
        labels={name: "present"},
        boxes=() if box is None else (box,),
    )


SOURCE = Source(
    card=Card(
        title="DeepLesion",
        part=("imaging",),
        what="Slices of CT with boxes around lesions that radiologists have measured.",
        size="32,735 lesions in 32,120 slices of 4,427 patients",
        licence="as the NIH Clinical Center asks: with attribution",
        access="open",
        home="https://nihcc.app.box.com/v/DeepLesion",
        citation="Yan et al., Journal of Medical Imaging 2018.",
        layout="`DL_info.csv` (columns seen in public code) and "
        "`Images_png/PATIENT_STUDY_SERIES/SLICE.png`, 16 bits with 32,768 added to Hounsfield "
        "units",
        rank=15,
    ),
    reader=Table(("**/DL_info.csv",)),
    records=records,
    example={
        "File_name": "000001_01_01_109.png",
        "Patient_index": "1",
        "Study_index": "1",
        "Series_ID": "1",
        "Key_slice_index": "109",
        "Bounding_boxes": "226.169, 90.0204, 241.252, 111.977",
        "Coarse_lesion_type": "3",
        "Possibly_noisy": "0",
        "DICOM_windows": "-175, 275",
        "Train_Val_Test": "3",
    },
)
