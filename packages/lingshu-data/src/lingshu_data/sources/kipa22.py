"""KIPA22: CT of kidneys with tumours and vessels."""

from lingshu_core.modality import Modality
from lingshu_data.readers.volume_files import VolumeFiles
from lingshu_data.slicing import SliceSettings, Volumes
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="KIPA22",
        part=("imaging",),
        what="Abdominal CT angiography with masks of kidney, renal tumour, artery and vein.",
        size="100 volumes",
        licence="CC-BY-NC-ND",
        access="agreement",
        home="https://kipa22.grand-challenge.org/",
        citation="He et al., Medical Image Analysis 2021.",
        layout="`train/image/CASE.nii.gz` and `train/label/CASE.nii.gz`; from description",
        rank=14,
    ),
    reader=VolumeFiles(
        "{split}/image/{case}.nii.gz", ("{split}/label/{case}.nii.gz",), look_for="**/*.nii.gz"
    ),
    records=Volumes(
        modality=Modality.CT,
        organ="kidney",
        names={1: "renal vein", 2: "kidney", 3: "renal artery", 4: "renal tumor"},
        window=(-160.0, 240.0),
        split="train",
        group="{case}",
    ),
    example={
        "path": "train/image/8.nii.gz",
        "split": "train",
        "case": "8",
        "masks": ["train/label/8.nii.gz"],
    },
    settings=SliceSettings,
)
