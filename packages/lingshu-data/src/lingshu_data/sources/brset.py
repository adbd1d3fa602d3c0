"""BRSET: fundus photographs of Brazilian patients with findings."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import flags
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

_FINDINGS = (
    "diabetic_retinopathy", "macular_edema", "scar", "nevus", "amd", "vascular_occlusion",
    "hypertensive_retinopathy", "drusen", "drusens", "hemorrhage", "retinal_detachment",
    "myopic_fundus", "increased_cup_disc",
)  # fmt: skip
"""A version of the table writes `drusens`, another `drusen`."""

SOURCE = Source(
    card=Card(
        title="BRSET",
        part=("imaging",),
        what="Fundus photographs with findings of the retina, named BRESET in the paper.",
        size="16,266 photographs of 8,524 patients",
        licence="PhysioNet Credentialed Health Data License 1.5.0",
        access="agreement",
        home="https://physionet.org/content/brazilian-ophthalmological/",
        citation="Nakayama et al., PLOS Digital Health 2024.",
        layout="`labels*.csv` and `fundus_photos/ID.jpg`; columns seen in public code",
        rank=15,
    ),
    reader=Table(("**/labels*.csv",)),
    records=Pictures(
        modality=Modality.FUNDUS,
        picture="fundus_photos/{image_id}.jpg",
        organ="retina",
        labels=flags({name: name.replace("_", " ") for name in _FINDINGS}),
        group="{patient_id}",
        tags={"grade": "ICDR {DR_ICDR}", "quality": "{quality}"},
    ),
    example={
        "image_id": "img00001",
        "patient_id": "1",
        "camera": "Canon CR",
        "DR_ICDR": "0",
        "diabetic_retinopathy": "0",
        "macular_edema": "0",
        "scar": "0",
        "nevus": "0",
        "amd": "1",
        "vascular_occlusion": "0",
        "hypertensive_retinopathy": "0",
        "drusens": "1",
        "hemorrhage": "0",
        "retinal_detachment": "0",
        "myopic_fundus": "0",
        "increased_cup_disc": "0",
        "quality": "Adequate",
    },
)
