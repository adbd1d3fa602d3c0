"""Mendeley Digital Knee X-ray: knees graded for osteoarthritis."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.folders import ClassFolders
from lingshu_data.source import Card, Source

_GRADES = {
    "1Doubtful": "doubtful osteoarthritis",
    "2Mild": "mild osteoarthritis",
    "3Moderate": "moderate osteoarthritis",
    "4Severe": "severe osteoarthritis",
}

SOURCE = Source(
    card=Card(
        title="Mendeley Digital Knee X-ray",
        part=("imaging",),
        what="Radiographs of knees with grades of osteoarthritis (Kellgren and Lawrence) by two "
        "experts.",
        size="1,650 radiographs",
        licence="CC-BY-4.0",
        access="open",
        home="https://data.mendeley.com/datasets/t9ndx37v5h/1",
        citation="Gornale and Patravali, Mendeley Data 2020.",
        layout="`MedicalExpert-I/GRADE/NAME.png`, the grade with its number as in `0Normal`; from "
        "description",
        rank=18,
    ),
    reader=ClassFolders("{expert}/{grade}/{name}"),
    records=Pictures(
        modality=Modality.XRAY,
        organ="knee",
        labels=one_of("grade", _GRADES, healthy=("0Normal",)),
        tags={"grade": "{grade}", "expert": "{expert}"},
    ),
    example={
        "path": "MedicalExpert-I/3Moderate/ModerateG3 (1).png",
        "expert": "MedicalExpert-I",
        "grade": "3Moderate",
        "name": "ModerateG3 (1).png",
    },
)
