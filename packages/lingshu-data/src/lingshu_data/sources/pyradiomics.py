"""pyradiomics test data: small volumes with label volumes."""

from lingshu_core.modality import Modality
from lingshu_data.readers.either import Several
from lingshu_data.readers.volume_files import VolumeFiles
from lingshu_data.slicing import SliceSettings, Volumes
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="pyradiomics, test volumes",
        part=("more",),
        what="MR volumes of brain, breast and a prostate phantom with label volumes.",
        size="4 volumes",
        licence="BSD-3-Clause",
        access="open",
        home="https://github.com/AIM-Harvard/pyradiomics",
        citation="van Griethuysen et al., Cancer Research 2017.",
        layout="`FOLDER/NAME_image.nrrd` with `NAME_label.nrrd`, the phantom with `-label`; seen "
        "in a copy",
        rank=20,
    ),
    reader=Several(
        (
            VolumeFiles(
                "{folder}/{organ}{number:d}_image.nrrd", ("{folder}/{organ}{number}_label.nrrd",)
            ),
            VolumeFiles(
                "{folder}/{organ}_{name}volume.nrrd", ("{folder}/{organ}_{name}volume-label.nrrd",)
            ),
        )
    ),
    records=Volumes(modality=Modality.MRI, organ="{organ}", names={1: "region of interest"}),
    example={
        "path": "pyradiomics/brain1_image.nrrd",
        "folder": "pyradiomics",
        "organ": "brain",
        "number": "1",
        "masks": ["pyradiomics/brain1_label.nrrd"],
    },
    settings=SliceSettings,
)
