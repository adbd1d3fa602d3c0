"""Blood Cell Images: white cells of four kinds."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.folders import ClassFolders
from lingshu_data.source import Card, Source

_CLASSES = {
    "EOSINOPHIL": "eosinophil",
    "LYMPHOCYTE": "lymphocyte",
    "MONOCYTE": "monocyte",
    "NEUTROPHIL": "neutrophil",
}

SOURCE = Source(
    card=Card(
        title="Blood Cell Images",
        part=("imaging",),
        what="Microscopy of blood with white cells of four kinds, augmented.",
        size="12,500 pictures",
        licence="MIT",
        access="open",
        home="https://www.kaggle.com/datasets/paultimothymooney/blood-cells",
        citation="Mooney, Blood Cell Images, 2018.",
        layout="`dataset2-master/images/TRAIN/CLASS/NAME.jpeg`; from description",
        rank=30,
    ),
    reader=ClassFolders("{root}/images/{part}/{label}/{name}", look_for="**/images/**/*"),
    records=Pictures(
        modality=Modality.MICROSCOPY,
        organ="blood",
        labels=one_of("label", _CLASSES),
        tags={"part": "{part}"},
    ),
    example={
        "path": "dataset2-master/images/TRAIN/EOSINOPHIL/_0_207.jpeg",
        "root": "dataset2-master",
        "part": "TRAIN",
        "label": "EOSINOPHIL",
        "name": "_0_207.jpeg",
    },
)
