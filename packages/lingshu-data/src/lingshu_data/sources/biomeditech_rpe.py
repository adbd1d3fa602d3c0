"""BioMediTech RPE: stem cells turning into retinal pigment epithelium."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import classes_as_they_are
from lingshu_data.readers.folders import ClassFolders
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="BioMediTech RPE",
        part=("imaging",),
        what="Microscopy of stem cells that become retinal pigment epithelium, in four stages.",
        size="1,862 pictures",
        licence="CC-BY-4.0",
        access="open",
        home="https://figshare.com/articles/dataset/2070109",
        citation="Nanni et al., PLoS One 2016.",
        layout="`CLASS/NAME`, or `FOLDER/CLASS/NAME`; from description",
        rank=20,
    ),
    reader=ClassFolders("{label}/{name}"),
    records=Pictures(
        modality=Modality.MICROSCOPY,
        organ="retinal pigment epithelium",
        labels=classes_as_they_are("label"),
    ),
    example={"path": "Cobblestone/img_001.png", "label": "Cobblestone", "name": "img_001.png"},
)
