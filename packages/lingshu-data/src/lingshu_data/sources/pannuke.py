"""PanNuke: nuclei of nineteen tissues, as arrays."""

import numpy as np

from lingshu_core.modality import Modality
from lingshu_data.imaging import ArrayPictures
from lingshu_data.readers.arrays import Arrays
from lingshu_data.source import Card, Source

_TILE = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.float64)
_NUCLEI = np.zeros((256, 256, 6))
_NUCLEI[40:60, 50:80, 0] = 1

SOURCE = Source(
    card=Card(
        title="PanNuke",
        part=("imaging",),
        what="Tiles of histopathology of nineteen tissues with nuclei outlined in five classes.",
        size="7,901 tiles",
        licence="CC-BY-NC-SA-4.0",
        access="open",
        home="https://warwick.ac.uk/fac/cross_fac/tia/data/pannuke",
        citation="Gamper et al., PanNuke, 2020.",
        layout="`fold1/images/fold1/images.npy`, `types.npy` and `fold1/masks/fold1/masks.npy` and "
        "so on; from description",
        rank=20,
    ),
    reader=Arrays(
        "**/images/{split}/images.npy",
        labels=(("tissue", "**/images/{split}/types.npy"),),
        splits=(("fold1", "train"), ("fold2", "validation"), ("fold3", "test")),
        layers=(("nuclei", "**/masks/{split}/masks.npy"),),
    ),
    records=ArrayPictures(
        modality=Modality.HISTOPATHOLOGY,
        organ="{tissue}",
        layers=(
            "neoplastic cells",
            "inflammatory cells",
            "connective cells",
            "dead cells",
            "epithelial cells",
        ),
    ),
    example={"tissue": "Breast", "pixels": _TILE, "nuclei": _NUCLEI, "split": "train", "index": 0},
)
