"""LLD-MMRI: MRI of liver lesions in eight phases."""

from lingshu_core.modality import Modality
from lingshu_data.readers.volume_files import VolumeFiles
from lingshu_data.slicing import SliceSettings, Volumes
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="LLD-MMRI",
        part=("imaging",),
        what="Liver MRI in eight phases with lesions of seven kinds.",
        size="498 patients",
        licence="on request, for research",
        access="request",
        home="https://github.com/LMMMEng/LLD-MMRI-Dataset",
        citation="Lou et al., Neural Networks 2025.",
        layout="`labels.csv` (case, label) and `images/CASE/PHASE.nii.gz`; from description",
        rank=14,
    ),
    reader=VolumeFiles("images/{case}/{phase}.nii.gz", look_for="images/**/*.nii.gz"),
    records=Volumes(
        modality=Modality.MRI,
        organ="liver",
        sequence="{phase}",
        group="{case}",
    ),
    example={"path": "images/MR1001/C+A.nii.gz", "case": "MR1001", "phase": "C+A", "masks": []},
    settings=SliceSettings,
)
