"""A folder of pictures with boxes in the COCO layout, whatever they show."""

from collections.abc import Iterator
from dataclasses import replace

from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.imaging import Pictures
from lingshu_data.intake import Intake
from lingshu_data.labelling import Labels, coco_boxes
from lingshu_data.reader import Row
from lingshu_data.readers.coco import Coco
from lingshu_data.source import Card, Source, SourceSettings

_FOLDERS = {"train": "train", "validation": "val", "test": "test"}
"""Where the pictures of a split lie, if each has a folder of its own."""


class Settings(SourceSettings):
    """What the files do not say."""

    modality: Modality = Modality.UNKNOWN
    organ: str | None = None


def there(row: Row) -> Labels:
    """Returns what has a box; of the other categories nothing is known to be complete."""
    return {item["name"].lower(): "present" for item in row.values["objects"] if item["name"]}


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a picture with its boxes."""
    settings: Settings = intake.settings
    make = Pictures(
        modality=settings.modality,
        picture="{folder}/{path}|images/{folder}/{path}|images/{path}|{path}",
        organ=settings.organ,
        objects=coco_boxes,
        labels=there,
    )
    folder = _FOLDERS.get(row.maybe("split") or "")
    yield from make(replace(row, values={**row.values, "folder": folder}), intake)


SOURCE = Source(
    card=Card(
        title="Pictures with boxes in the COCO layout",
        part=("more",),
        what="Any dataset annotated as COCO is; say what it shows with `--set modality=endoscopy`.",
        size="what is there",
        licence="yours",
        access="open",
        home="https://cocodataset.org/#format-data",
        citation="none",
        layout="`annotations/*.json`, with `train`, `val` or `test` in their names where there are "
        "splits; pictures by their `file_name` below the root, `images/` or the split's folder",
        rank=50,
    ),
    reader=Coco(("annotations/*.json",), {name: split for split, name in _FOLDERS.items()}),
    records=records,
    example={
        "path": "colon/0001.jpg",
        "split": "train",
        "objects": [{"name": "polyp", "bbox": [60, 40, 60, 50]}],
    },
    settings=Settings,
)
