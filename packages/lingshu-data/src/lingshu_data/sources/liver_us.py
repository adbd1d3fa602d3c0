"""Annotated Ultrasound Liver images: benign, malignant and healthy livers."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.folders import ClassFolders
from lingshu_data.source import Card, Source

_CLASSES = {"Benign": "benign liver mass", "Malignant": "malignant liver mass"}

SOURCE = Source(
    card=Card(
        title="Annotated Ultrasound Liver images",
        part=("imaging",),
        what="Ultrasound of the liver with benign and malignant masses, and healthy livers.",
        size="735 pictures",
        licence="CC-BY-4.0",
        access="open",
        home="https://doi.org/10.5281/zenodo.7272660",
        citation="Xu et al., Zenodo 2022.",
        layout="`CLASS/image/N.jpg` with polygons beside, which are not read; from description",
        rank=20,
    ),
    reader=ClassFolders("{label}/image/{name}", look_for="**/image/*"),
    records=Pictures(
        modality=Modality.ULTRASOUND,
        organ="liver",
        labels=one_of("label", _CLASSES, healthy=("Normal",)),
    ),
    example={"path": "Benign/image/1.jpg", "label": "Benign", "name": "1.jpg"},
)
