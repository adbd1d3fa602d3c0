"""COVID19-Radiography: chest radiographs in four classes, with lung masks."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.masks import MaskPictures
from lingshu_data.source import Card, Source

_CLASSES = {
    "COVID": "covid-19 pneumonia",
    "Viral Pneumonia": "viral pneumonia",
    "Lung_Opacity": "lung opacity",
}

SOURCE = Source(
    card=Card(
        title="COVID19-Radiography",
        part=("imaging",),
        what="Chest radiographs of COVID-19, other pneumonia, lung opacity and healthy chests, "
        "with lung masks.",
        size="21,165 pictures",
        licence="as the collections it is made of",
        access="agreement",
        home="https://www.kaggle.com/datasets/tawsifurrahman/covid19-radiography-database",
        citation="Chowdhury et al., IEEE Access 2020.",
        layout="`CLASS/images/NAME.png` and `CLASS/masks/NAME.png`; from description",
        rank=22,
    ),
    reader=MaskPictures(
        "{label}/images/{name}.png", ("{label}/masks/{name}.png",), look_for="**/images/*.png"
    ),
    records=Pictures(
        modality=Modality.XRAY,
        organ="lung",
        labels=one_of("label", _CLASSES, healthy=("Normal",)),
        masks={"*": "lung"},
        fit_masks=True,
    ),
    example={
        "path": "COVID/images/COVID-1.png",
        "label": "COVID",
        "name": "COVID-1",
        "masks": ["COVID/masks/COVID-1.png"],
    },
)
