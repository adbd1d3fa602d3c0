"""Brain-Tumor-Detection: slices of brain MRI with a tumour and without."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.folders import ClassFolders
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="Brain-Tumor-Detection",
        part=("imaging", "more"),
        what="Slices of brain MRI from the web, with a tumour or without; many of them twice.",
        size="253 pictures",
        licence="MIT",
        access="open",
        home="https://github.com/MohamedAliHabib/Brain-Tumor-Detection",
        citation="Chakrabarty, Brain MRI Images for Brain Tumor Detection, 2019.",
        layout="`yes/NAME` and `no/NAME`; seen in a copy",
        rank=45,
    ),
    reader=ClassFolders("{label}/{name}", look_for="[yn]*/*"),
    records=Pictures(
        modality=Modality.MRI,
        organ="brain",
        labels=one_of("label", {"yes": "tumor"}, healthy=("no",)),
    ),
    example={"path": "yes/Y1.jpg", "label": "yes", "name": "Y1.jpg"},
)
