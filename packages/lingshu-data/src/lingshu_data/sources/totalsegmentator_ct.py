"""TotalSegmentator, example CT: a volume with the masks of its organs."""

from lingshu_core.modality import Modality
from lingshu_data.readers.volume_files import VolumeFiles
from lingshu_data.slicing import SliceSettings, Volumes
from lingshu_data.source import Card, Source

_ORGANS = {
    1: "spleen", 2: "right kidney", 3: "left kidney", 4: "gallbladder", 5: "liver", 6: "stomach",
    7: "pancreas", 8: "right adrenal gland", 9: "left adrenal gland", 10: "left upper lung lobe",
    11: "left lower lung lobe", 12: "right upper lung lobe", 13: "right middle lung lobe",
    14: "right lower lung lobe", 18: "small bowel", 19: "duodenum", 20: "colon",
    21: "urinary bladder", 22: "prostate", 51: "heart", 52: "aorta", 63: "inferior vena cava",
}  # fmt: skip
"""The first classes of its task `total`; the others keep their number as a name."""

SOURCE = Source(
    card=Card(
        title="TotalSegmentator, example CT",
        part=("more",),
        what="A small CT volume with the organs that TotalSegmentator has found.",
        size="1 volume",
        licence="Apache-2.0",
        access="open",
        home="https://github.com/wasserth/TotalSegmentator",
        citation="Wasserthal et al., Radiology: AI 2023.",
        layout="`example_ct*.nii.gz` and `example_seg.nii.gz`; seen in a copy",
        rank=40,
    ),
    reader=VolumeFiles(
        "{folder}/example_ct{size}.nii.gz", ("{folder}/example_seg.nii.gz",), look_for="*/*.nii.gz"
    ),
    records=Volumes(
        modality=Modality.CT,
        organ="abdomen",
        window=(-160.0, 240.0),
        names=_ORGANS,
    ),
    example={
        "path": "totalsegmentator/example_ct_sm.nii.gz",
        "folder": "totalsegmentator",
        "size": "_sm",
        "masks": ["totalsegmentator/example_seg.nii.gz"],
    },
    settings=SliceSettings,
)
