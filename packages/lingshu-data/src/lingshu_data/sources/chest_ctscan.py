"""chest-ctscan: CT of lung cancer in four classes."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import Labels, one_of
from lingshu_data.reader import Row
from lingshu_data.readers.folders import ClassFolders
from lingshu_data.source import Card, Source

_CLASSES = {
    "adenocarcinoma": "adenocarcinoma",
    "large.cell.carcinoma": "large cell carcinoma",
    "squamous.cell.carcinoma": "squamous cell carcinoma",
}
_OF_CLASS = one_of("label", _CLASSES, healthy=("normal",))


def lung_cancers(row: Row) -> Labels:
    """Returns the class of a folder such as `adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib`."""
    return _OF_CLASS(Row({"label": row.text("label").partition("_")[0]}, row.place))


SOURCE = Source(
    card=Card(
        title="chest-ctscan",
        part=("imaging",),
        what="Slices of chest CT with three kinds of lung cancer, and healthy ones.",
        size="1,000 pictures",
        licence="not stated",
        access="open",
        home="https://tianchi.aliyun.com/dataset/93929",
        citation="Yi, Chest-ctscan dataset, 2021.",
        layout="`Data/SPLIT/CLASS/NAME.png`, where the name of a class may go on behind an "
        "underscore; from description",
        rank=35,
    ),
    reader=ClassFolders("{root}/{split}/{label}/{name}"),
    records=Pictures(
        modality=Modality.CT,
        organ="lung",
        labels=lung_cancers,
        view="axial",
    ),
    example={
        "path": "Data/train/normal/1.png",
        "root": "Data",
        "split": "train",
        "label": "normal",
        "name": "1.png",
    },
)
