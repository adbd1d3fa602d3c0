"""CheXpert: chest radiographs with fourteen observations."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import flags
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

_OBSERVATIONS = (
    "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema",
    "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion",
    "Pleural Other", "Fracture", "Support Devices",
)  # fmt: skip

SOURCE = Source(
    card=Card(
        title="CheXpert",
        part=("imaging",),
        what="Chest radiographs with fourteen observations read out of the reports.",
        size="224,316 radiographs of 65,240 patients",
        licence="Stanford University Dataset Research Use Agreement",
        access="agreement",
        home="https://stanfordmlgroup.github.io/competitions/chexpert/",
        citation="Irvin et al., CheXpert, AAAI 2019.",
        layout="`train.csv` and `valid.csv` with `Path` below the folder that holds "
        "`CheXpert-v1.0*/`; from description",
        rank=25,
    ),
    reader=Table(
        ("**/train.csv", "**/valid.csv"), splits={"train": "train", "valid": "validation"}
    ),
    records=Pictures(
        modality=Modality.XRAY,
        picture="{Path}",
        organ="chest",
        labels=flags({name: name.lower() for name in _OBSERVATIONS}),
        view="{Frontal/Lateral}",
        group="{Path}",
    ),
    example={
        "Path": "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg",
        "Sex": "Female",
        "Age": "68",
        "Frontal/Lateral": "Frontal",
        "AP/PA": "AP",
        "No Finding": "1.0",
        "Enlarged Cardiomediastinum": "",
        "Cardiomegaly": "",
        "Lung Opacity": "",
        "Lung Lesion": "",
        "Edema": "-1.0",
        "Consolidation": "",
        "Pneumonia": "",
        "Atelectasis": "",
        "Pneumothorax": "0.0",
        "Pleural Effusion": "",
        "Pleural Other": "",
        "Fracture": "",
        "Support Devices": "1.0",
        "split": "train",
    },
)
