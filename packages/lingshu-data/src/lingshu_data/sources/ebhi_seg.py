"""EBHI-Seg: biopsies of the bowel in six classes, with masks."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.masks import MaskPictures
from lingshu_data.source import Card, Source

_CLASSES = {
    "Polyp": "polyp",
    "Low-grade IN": "low-grade intraepithelial neoplasia",
    "High-grade IN": "high-grade intraepithelial neoplasia",
    "Serrated adenoma": "serrated adenoma",
    "Adenocarcinoma": "adenocarcinoma",
}

SOURCE = Source(
    card=Card(
        title="EBHI-Seg",
        part=("imaging",),
        what="Sections of biopsies of the bowel in six stages, with masks.",
        size="4,456 pictures",
        licence="CC0-1.0",
        access="open",
        home="https://doi.org/10.6084/m9.figshare.21540159",
        citation="Shi et al., Frontiers in Medicine 2023.",
        layout="`EBHI-SEG/CLASS/image/NAME.png` and `CLASS/label/NAME.png`; seen in public code",
        rank=18,
    ),
    reader=MaskPictures(
        "{root}/{label}/image/{name}.png",
        ("{root}/{label}/label/{name}.png",),
        look_for="**/image/*.png",
    ),
    records=Pictures(
        modality=Modality.HISTOPATHOLOGY,
        organ="colon",
        sequence="H&E",
        labels=one_of("label", _CLASSES, healthy=("Normal",)),
        masks={"*": "lesion"},
    ),
    example={
        "path": "EBHI-SEG/Polyp/image/GT1.png",
        "root": "EBHI-SEG",
        "label": "Polyp",
        "name": "GT1",
        "masks": ["EBHI-SEG/Polyp/label/GT1.png"],
    },
)
