"""Brain-Tumor-MRI: slices in four classes."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.folders import ClassFolders
from lingshu_data.source import Card, Source

_CLASSES = {"glioma": "glioma", "meningioma": "meningioma", "pituitary": "pituitary tumor"}

SOURCE = Source(
    card=Card(
        title="Brain-Tumor-MRI",
        part=("imaging",),
        what="Slices of brain MRI with glioma, meningioma, pituitary tumour or none.",
        size="7,023 pictures",
        licence="CC0-1.0",
        access="open",
        home="https://www.kaggle.com/datasets/masoudnickparvar/brain-tumor-mri-dataset",
        citation="Nickparvar, Brain Tumor MRI Dataset, 2021.",
        layout="`Training/CLASS/NAME.jpg` and `Testing/CLASS/NAME.jpg`; from description",
        rank=30,
    ),
    reader=ClassFolders("{part}/{label}/{name}"),
    records=Pictures(
        modality=Modality.MRI,
        organ="brain",
        labels=one_of("label", _CLASSES, healthy=("notumor",)),
        tags={"part": "{part}"},
    ),
    example={
        "path": "Training/glioma/Tr-gl_0010.jpg",
        "part": "Training",
        "label": "glioma",
        "name": "Tr-gl_0010.jpg",
    },
)
