"""Diabetic Retinopathy Detection 2015 and 2019, resized."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.either import Either, Renamed
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

_GRADES = {
    "1": "mild diabetic retinopathy",
    "2": "moderate diabetic retinopathy",
    "3": "severe diabetic retinopathy",
    "4": "proliferative diabetic retinopathy",
}

SOURCE = Source(
    card=Card(
        title="2015 and 2019 Diabetic Retinopathy Detection",
        part=("imaging",),
        what="Fundus photographs of two competitions with grades of diabetic retinopathy.",
        size="92,501 photographs",
        licence="as the competitions ask",
        access="agreement",
        home="https://www.kaggle.com/datasets/c7934597/resized-2015-2019-diabetic-retinopathy-detection",
        citation="Lin, 2022, of EyePACS 2015 and APTOS 2019.",
        layout="`labels/trainLabels15.csv` (image, level) and `trainLabels19.csv` (id_code, "
        "diagnosis) with `resized train 15/` and `resized train 19/`; from description",
        rank=25,
    ),
    reader=Either(
        (
            Renamed(
                Table(("**/trainLabels*.csv",)),
                {"id_code": "image", "diagnosis": "level"},
            ),
        )
    ),
    records=Pictures(
        modality=Modality.FUNDUS,
        picture="resized train 15/{image}.jpg|resized train 19/{image}.jpg|{image}.jpg",
        organ="retina",
        labels=one_of("level", _GRADES, healthy=("0",)),
        split="train",
        tags={"grade": "{level}"},
    ),
    example={"image": "10_left", "level": "2"},
)
