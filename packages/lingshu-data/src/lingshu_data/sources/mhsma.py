"""mhsma-dataset: sperm cells with the state of their parts."""

import numpy as np

from lingshu_core.modality import Modality
from lingshu_data.imaging import ArrayPictures
from lingshu_data.labelling import flags
from lingshu_data.readers.arrays import Arrays
from lingshu_data.source import Card, Source

_PARTS = ("acrosome", "head", "tail", "vacuole")
_CELL = np.random.default_rng(0).integers(0, 256, (128, 128)).astype(np.uint8)

SOURCE = Source(
    card=Card(
        title="mhsma-dataset",
        part=("imaging",),
        what="Microscopy of sperm cells with acrosome, head, tail and vacuole judged.",
        size="1,540 pictures",
        licence="CC-BY-NC-SA-4.0",
        access="open",
        home="https://github.com/soroushj/mhsma-dataset",
        citation="Javadi and Mirroshandel, Computers in Biology and Medicine 2019.",
        layout="`mhsma/x_128_SPLIT.npy` and `y_PART_SPLIT.npy`; seen in the repository's README",
        rank=18,
    ),
    reader=Arrays(
        "**/x_128_{split}.npy",
        labels=tuple((part, f"**/y_{part}_{{split}}.npy") for part in _PARTS),
        splits=(("train", "train"), ("valid", "validation"), ("test", "test")),
    ),
    records=ArrayPictures(
        modality=Modality.MICROSCOPY,
        organ="sperm",
        labels=flags({part: f"abnormal {part}" for part in _PARTS}),
    ),
    example={
        "acrosome": 0,
        "head": 1,
        "tail": 0,
        "vacuole": 0,
        "pixels": _CELL,
        "split": "train",
        "index": 0,
    },
)
