"""TotalSegmentator, example MR: a volume with the masks of its organs."""

from lingshu_core.modality import Modality
from lingshu_data.readers.volume_files import VolumeFiles
from lingshu_data.slicing import SliceSettings, Volumes
from lingshu_data.source import Card, Source

_ORGANS = {
    1: "spleen", 2: "right kidney", 3: "left kidney", 4: "gallbladder", 5: "liver", 6: "stomach",
    7: "pancreas", 8: "right adrenal gland", 9: "left adrenal gland", 10: "left lung",
    11: "right lung", 12: "esophagus", 13: "small bowel", 14: "duodenum", 15: "colon",
    16: "urinary bladder", 17: "prostate", 22: "heart", 23: "aorta", 24: "inferior vena cava",
}  # fmt: skip
"""The first classes of its task `total_mr`; the others keep their number as a name."""

SOURCE = Source(
    card=Card(
        title="TotalSegmentator, example MR",
        part=("more",),
        what="A small MR volume with the organs that TotalSegmentator has found.",
        size="1 volume",
        licence="Apache-2.0",
        access="open",
        home="https://github.com/wasserth/TotalSegmentator",
        citation="Wasserthal et al., Radiology: AI 2023.",
        layout="`example_mr*.nii.gz` and `example_seg_mr.nii.gz`; seen in a copy",
        rank=40,
    ),
    reader=VolumeFiles(
        "{folder}/example_mr{size}.nii.gz",
        ("{folder}/example_seg_mr.nii.gz",),
        look_for="*/*.nii.gz",
    ),
    records=Volumes(
        modality=Modality.MRI,
        organ="abdomen",
        names=_ORGANS,
    ),
    example={
        "path": "totalsegmentator/example_mr_sm.nii.gz",
        "folder": "totalsegmentator",
        "size": "_sm",
        "masks": ["totalsegmentator/example_seg_mr.nii.gz"],
    },
    settings=SliceSettings,
)
