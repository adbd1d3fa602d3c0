"""MAMA-MIA: contrast-enhanced MRI of breast cancer with expert masks."""

from lingshu_core.modality import Modality
from lingshu_data.readers.volume_files import VolumeFiles
from lingshu_data.slicing import SliceSettings, Volumes
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="MAMA-MIA",
        part=("imaging",),
        what="Contrast-enhanced MRI of breast cancer with masks by experts.",
        size="1,506 cases",
        licence="CC-BY-NC-4.0",
        access="agreement",
        home="https://www.synapse.org/Synapse:syn60868042",
        citation="Garrucho et al., Scientific Data 2025.",
        layout="`images/CASE/CASE_PHASE.nii.gz` and `segmentations/expert/CASE.nii.gz`; seen in "
        "public code",
        rank=12,
    ),
    reader=VolumeFiles(
        "images/{case}/{name}_{phase:d}.nii.gz",
        ("segmentations/expert/{name}.nii.gz", "segmentations/expert/{case}.nii.gz"),
        look_for="images/**/*.nii.gz",
    ),
    records=Volumes(
        modality=Modality.MRI,
        organ="breast",
        names={1: "breast tumor"},
        sequence="{phase}",
        group="{case}",
    ),
    example={
        "path": "images/DUKE_001/duke_001_0001.nii.gz",
        "case": "DUKE_001",
        "name": "duke_001",
        "phase": "0001",
        "masks": ["segmentations/expert/duke_001.nii.gz"],
    },
    settings=SliceSettings,
)
