"""CPD: skin cells stained for damage of the DNA by ultraviolet light."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="CPD",
        part=("imaging",),
        what="Sections of skin stained for damage of the DNA by ultraviolet light, with a score of "
        "the nuclei.",
        size="about 3,000 pictures",
        licence="on request",
        access="request",
        home="https://doi.org/10.1038/s41598-023-35370-7",
        citation="Wagner et al., Scientific Reports 2023.",
        layout="`metadata.csv` (image, staining, score from 0 to 1) and `images/`; from "
        "description",
        rank=25,
    ),
    reader=Table(("**/metadata.csv",)),
    records=Pictures(
        modality=Modality.HISTOPATHOLOGY,
        picture="images/{image}",
        organ="skin",
        sequence="{staining}",
        metadata={"nuclei_score": "score"},
    ),
    example={"image": "cpd_0001.png", "staining": "CPD", "score": "0.35"},
)
