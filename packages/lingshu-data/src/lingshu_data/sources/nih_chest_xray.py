"""NIH-Chest-X-Ray: chest radiographs with fourteen findings."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import Box
from lingshu_data.boxes import corner_box
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import listed
from lingshu_data.reader import Row
from lingshu_data.readers.joined import Joined
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

_FINDINGS = (
    "atelectasis", "cardiomegaly", "consolidation", "edema", "effusion", "emphysema", "fibrosis",
    "hernia", "infiltration", "mass", "nodule", "pleural_thickening", "pneumonia", "pneumothorax",
)  # fmt: skip


def boxes(row: Row) -> Iterator[Box | None]:
    """Yields the boxes, which are in pixels of the published picture."""
    for item in row.values["boxes"]:
        x, y, width, height = (float(item[side]) for side in ("x", "y", "width", "height"))
        yield corner_box(x, y, x + width, y + height, str(item["finding"]).lower())


SOURCE = Source(
    card=Card(
        title="NIH-Chest-X-Ray",
        part=("imaging",),
        what="Chest radiographs with fourteen findings read out of the reports, and boxes for "
        "some.",
        size="112,120 radiographs of 30,805 patients",
        licence="as the NIH Clinical Center asks: with attribution",
        access="open",
        home="https://nihcc.app.box.com/v/ChestXray-NIHCC",
        citation="Wang et al., ChestX-ray8, CVPR 2017.",
        layout="`Data_Entry_2017*.csv`, `BBox_List_2017.csv` and `images/NAME.png`, or "
        "`images_NNN/images/`; seen in a copy of a part",
        rank=25,
    ),
    reader=Joined(
        Table(("Data_Entry_2017*.csv*",)),
        Table(
            ("BBox_List_2017.csv*",),
            columns=("name", "finding", "x", "y", "width", "height"),
            skip=1,
        ),
        on=("Image Index", "name"),
        column="boxes",
    ),
    records=Pictures(
        modality=Modality.XRAY,
        picture="images/{Image Index}"
        + "".join(f"|images_{part:03}/images/{{Image Index}}" for part in range(1, 13)),
        organ="chest",
        labels=listed("Finding Labels", _FINDINGS),
        objects=boxes,
        view="{View Position}",
        group="{Patient ID}",
    ),
    example={
        "Image Index": "00000001_000.png",
        "Finding Labels": "Cardiomegaly|Effusion",
        "Follow-up #": "0",
        "Patient ID": "1",
        "Patient Age": "57",
        "Patient Gender": "M",
        "View Position": "PA",
        "boxes": [{"finding": "Cardiomegaly", "x": "10", "y": "20", "width": "30", "height": "25"}],
    },
)
