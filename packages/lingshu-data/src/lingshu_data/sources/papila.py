"""PAPILA: fundus photographs of both eyes, for glaucoma."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

_CLASSES = {"1": "glaucoma", "2": "suspected glaucoma"}

SOURCE = Source(
    card=Card(
        title="PAPILA",
        part=("imaging",),
        what="Fundus photographs of both eyes of patients with and without glaucoma.",
        size="488 photographs of 244 patients",
        licence="CC-BY-4.0",
        access="open",
        home="https://doi.org/10.6084/m9.figshare.14798004",
        citation="Kovalyk et al., Scientific Data 2022.",
        layout="`FundusImages/RETNNNOD.jpg` and `OS`, and the clinical tables of both eyes saved "
        "as `ClinicalData/patient_data_od.csv` and `_os.csv` (ID, Diagnosis); from description",
        rank=15,
    ),
    reader=Table(("ClinicalData/patient_data_o[ds].csv",), splits={"_od": "OD", "_os": "OS"}),
    records=Pictures(
        modality=Modality.FUNDUS,
        picture="FundusImages/RET{ID}{split}.jpg",
        organ="optic disc",
        labels=one_of("Diagnosis", _CLASSES, healthy=("0",)),
        group="{ID}",
        split="train",
        tags={"eye": "{split}"},
    ),
    example={"ID": "002", "Age": "47", "Gender": "0", "Diagnosis": "2", "split": "OD"},
)
