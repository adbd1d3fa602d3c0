"""ISIC challenge 2020: dermoscopy for the finding of melanoma."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="ISIC challenge 2020",
        part=("imaging",),
        what="Dermoscopy of skin lesions, benign or malignant.",
        size="33,126 pictures of 2,056 patients",
        licence="CC-BY-NC-4.0",
        access="open",
        home="https://challenge2020.isic-archive.com/",
        citation="Rotemberg et al., Scientific Data 2021; Kurtansky et al., 2024.",
        layout="`train.csv` (image_name, patient_id, benign_malignant) and `train/NAME.jpg`; from "
        "description",
        rank=16,
    ),
    reader=Table(("**/*[tT]rain*.csv",)),
    records=Pictures(
        modality=Modality.DERMOSCOPY,
        picture="train/{image_name}.jpg|jpeg/train/{image_name}.jpg",
        organ="skin",
        labels=one_of("benign_malignant", {"malignant": "melanoma"}, healthy=("benign",)),
        group="{patient_id}",
        split="train",
        tags={"body_part": "{anatom_site_general_challenge}", "diagnosis": "{diagnosis}"},
    ),
    example={
        "image_name": "ISIC_2637011",
        "patient_id": "IP_7279968",
        "sex": "male",
        "age_approx": "45.0",
        "anatom_site_general_challenge": "head/neck",
        "diagnosis": "unknown",
        "benign_malignant": "benign",
        "target": "0",
    },
)
