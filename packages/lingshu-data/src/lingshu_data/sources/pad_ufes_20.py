"""PAD-UFES-20: smartphone photographs of skin lesions."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

_CLASSES = {
    "BCC": "basal cell carcinoma",
    "SCC": "squamous cell carcinoma",
    "ACK": "actinic keratosis",
    "SEK": "seborrheic keratosis",
    "MEL": "melanoma",
    "NEV": "nevus",
}

SOURCE = Source(
    card=Card(
        title="PAD-UFES-20",
        part=("imaging",),
        what="Photographs of skin lesions by smartphone, in six classes, many confirmed by biopsy.",
        size="2,298 pictures of 1,373 patients",
        licence="CC-BY-4.0",
        access="open",
        home="https://data.mendeley.com/datasets/zr7vgbcyr2/1",
        citation="Pacheco et al., Data in Brief 2020.",
        layout="`metadata.csv` (patient_id, lesion_id, region, diagnostic, img_id) and "
        "`imgs_part_N/`; from description",
        rank=16,
    ),
    reader=Table(("**/metadata.csv",)),
    records=Pictures(
        modality=Modality.DERMOSCOPY,
        picture="imgs_part_1/{img_id}|imgs_part_2/{img_id}|imgs_part_3/{img_id}|images/{img_id}",
        organ="skin",
        labels=one_of("diagnostic", _CLASSES),
        group="{patient_id}",
        tags={"body_part": "{region}"},
    ),
    example={
        "patient_id": "PAT_1516",
        "lesion_id": "1765",
        "region": "NECK",
        "diagnostic": "NEV",
        "img_id": "PAT_1516_1765_530.png",
        "biopsed": "False",
    },
)
