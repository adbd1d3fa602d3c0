"""BCCD: microscopy of blood with boxes around the cells."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import Box
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import Labels, voc_boxes
from lingshu_data.reader import Row
from lingshu_data.readers.voc import Voc
from lingshu_data.source import Card, Source

_CELLS = {"RBC": "red blood cell", "WBC": "white blood cell", "Platelets": "platelet"}


def cells(row: Row) -> Iterator[Box | None]:
    """Yields the boxes with their names in words."""
    for box in voc_boxes(row):
        yield box and box.model_copy(update={"label": _CELLS.get(box.label or "", box.label)})


def seen_cells(row: Row) -> Labels:
    """Returns which kinds of cells a picture has; every cell of it is annotated."""
    there = {item["name"] for item in row.values["objects"]}
    return {name: "present" if cell in there else "absent" for cell, name in _CELLS.items()}


SOURCE = Source(
    card=Card(
        title="BCCD",
        part=("imaging", "more"),
        what="Microscopy of blood with boxes around red cells, white cells and platelets.",
        size="364 pictures",
        licence="MIT",
        access="open",
        home="https://github.com/Shenggan/BCCD_Dataset",
        citation="Shenggan, BCCD Dataset, 2018.",
        layout="`BCCD/Annotations/NAME.xml`, `BCCD/JPEGImages/NAME.jpg`, "
        "`BCCD/ImageSets/Main/SPLIT.txt`; seen in a copy",
        rank=18,
    ),
    reader=Voc(
        annotations="BCCD/Annotations/*.xml",
        pictures="BCCD/JPEGImages/{filename}",
        sets="BCCD/ImageSets/Main/{split}.txt",
    ),
    records=Pictures(
        modality=Modality.MICROSCOPY,
        organ="blood",
        objects=cells,
        labels=seen_cells,
    ),
    example={
        "path": "BCCD/JPEGImages/BloodImage_00330.jpg",
        "split": "train",
        "objects": [{"name": "WBC", "xmin": 9, "ymin": 5, "xmax": 49, "ymax": 48}],
    },
)
