"""Breast Ultrasound Images: benign, malignant and healthy, with masks."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.masks import MaskPictures
from lingshu_data.source import Card, Source

_CLASSES = {"benign": "benign mass", "malignant": "malignant mass"}

SOURCE = Source(
    card=Card(
        title="Breast Ultrasound Images",
        part=("imaging",),
        what="Ultrasound of the breast with benign and malignant masses, outlined, and healthy "
        "ones.",
        size="780 pictures of 600 patients",
        licence="CC0-1.0",
        access="open",
        home="https://scholar.cu.edu.eg/?q=afahmy/pages/dataset",
        citation="Al-Dhabyani et al., Data in Brief 2020.",
        layout="`Dataset_BUSI_with_GT/CLASS/CLASS (N).png` with `CLASS (N)_mask.png` and "
        "`_mask_1.png`; from description",
        rank=18,
    ),
    reader=MaskPictures(
        "{root}/{label}/{label} ({number}).png",
        ("{root}/{label}/{label} ({number})_mask*.png",),
        look_for="**/*.png",
    ),
    records=Pictures(
        modality=Modality.ULTRASOUND,
        organ="breast",
        labels=one_of("label", _CLASSES, healthy=("normal",)),
        masks={"*": "mass"},
    ),
    example={
        "path": "Dataset_BUSI_with_GT/benign/benign (1).png",
        "root": "Dataset_BUSI_with_GT",
        "label": "benign",
        "number": "1",
        "masks": ["Dataset_BUSI_with_GT/benign/benign (1)_mask.png"],
    },
)
