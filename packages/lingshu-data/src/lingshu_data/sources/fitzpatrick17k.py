"""Fitzpatrick17k: clinical photographs of the skin in 114 classes."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import classes_as_they_are
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="Fitzpatrick17k",
        part=("imaging",),
        what="Clinical photographs of skin conditions in 114 classes and six skin types.",
        size="16,577 pictures",
        licence="CC-BY-NC-SA-3.0",
        access="open",
        home="https://github.com/mattgroh/fitzpatrick17k",
        citation="Groh et al., CVPR Workshops 2021.",
        layout="`fitzpatrick17k.csv` (md5hash, label, nine_partition_label) and the pictures, "
        "downloaded by their addresses, as `images/MD5.jpg`; from description",
        rank=35,
    ),
    reader=Table(("**/fitzpatrick17k.csv",)),
    records=Pictures(
        modality=Modality.PHOTOGRAPH,
        picture="images/{md5hash}.jpg|data/finalfitz17k/{md5hash}.jpg",
        organ="skin",
        labels=classes_as_they_are("label"),
        tags={"partition": "{nine_partition_label}", "skin_type": "{fitzpatrick_scale}"},
    ),
    example={
        "md5hash": "5e82a45bc5d78bd24ae9202d194423f8",
        "fitzpatrick_scale": "3",
        "fitzpatrick_centaur": "3",
        "label": "drug induced pigmentary changes",
        "nine_partition_label": "inflammatory",
        "three_partition_label": "non-neoplastic",
    },
)
