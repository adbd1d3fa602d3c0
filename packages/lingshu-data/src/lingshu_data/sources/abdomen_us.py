"""AbdomenUS: simulated and real abdominal ultrasound with organ masks."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.readers.masks import MaskPictures
from lingshu_data.source import Card, Source

_COLOURS = {
    "6400c8": "liver",
    "ffff00": "kidney",
    "0000ff": "pancreas",
    "ff0000": "vessels",
    "00ffff": "adrenal gland",
    "00ff00": "gallbladder",
    "ffffff": "bones",
    "ff00ff": "spleen",
}
"""Colours of the masks as hexadecimal RGB; from description."""

SOURCE = Source(
    card=Card(
        title="AbdomenUS",
        part=("imaging",),
        what="Abdominal ultrasound, simulated (AUS) and real (RUS), with coloured masks of organs.",
        size="926 simulated and 617 real pictures",
        licence="CC-BY-NC-SA-4.0",
        access="open",
        home="https://www.kaggle.com/datasets/ignaciorlando/ussimandsegm",
        citation="Vitale et al., IJCARS 2020.",
        layout="`abdominal_US/KIND/images/SPLIT/NAME.png` and `KIND/annotations/SPLIT/NAME.png`; "
        "seen in public code",
        rank=25,
    ),
    reader=MaskPictures(
        "{root}/{kind}/images/{split}/{name}.{suffix}",
        ("{root}/{kind}/annotations/{split}/{name}.png",),
        look_for="**/images/*/*",
    ),
    records=Pictures(
        modality=Modality.ULTRASOUND,
        organ="abdomen",
        masks=_COLOURS,
        sequence="{kind}",
    ),
    example={
        "path": "abdominal_US/AUS/images/train/ct1-1.png",
        "root": "abdominal_US",
        "kind": "AUS",
        "split": "train",
        "name": "ct1-1",
        "suffix": "png",
        "masks": ["abdominal_US/AUS/annotations/train/ct1-1.png"],
    },
)
