"""BraTS2024: MRI of gliomas after treatment with masks."""

from lingshu_core.modality import Modality
from lingshu_data.readers.volume_files import VolumeFiles
from lingshu_data.slicing import SliceSettings, Volumes
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="BraTS2024",
        part=("imaging",),
        what="MRI of gliomas after treatment in four sequences with masks of the tumour's parts.",
        size="2,200 cases",
        licence="CC-BY-4.0",
        access="agreement",
        home="https://www.synapse.org/brats2024",
        citation="de Verdier et al., BraTS 2024, 2024.",
        layout="`CASE/CASE-t1c.nii.gz` (also t1n, t2f, t2w) and `CASE/CASE-seg.nii.gz`; from "
        "description",
        rank=12,
    ),
    reader=VolumeFiles(
        "{folder}/{case}/{case}-{sequence}.nii.gz",
        ("{folder}/{case}/{case}-seg.nii.gz",),
        look_for="**/*.nii.gz",
    ),
    records=Volumes(
        modality=Modality.MRI,
        organ="brain",
        names={
            1: "non-enhancing tumor core",
            2: "surrounding hyperintensity",
            3: "enhancing tumor",
            4: "resection cavity",
        },
        sequence="{sequence}",
        group="{case}",
    ),
    example={
        "path": "train/BraTS-GLI-00005-100/BraTS-GLI-00005-100-t1c.nii.gz",
        "folder": "train",
        "case": "BraTS-GLI-00005-100",
        "sequence": "t1c",
        "masks": ["train/BraTS-GLI-00005-100/BraTS-GLI-00005-100-seg.nii.gz"],
    },
    settings=SliceSettings,
)
