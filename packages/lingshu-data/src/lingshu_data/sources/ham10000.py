"""HAM10000: dermoscopy of pigmented lesions in seven classes."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import one_of
from lingshu_data.readers.table import Table
from lingshu_data.source import Card, Source

_CLASSES = {
    "akiec": "actinic keratosis",
    "bcc": "basal cell carcinoma",
    "bkl": "benign keratosis",
    "df": "dermatofibroma",
    "mel": "melanoma",
    "nv": "melanocytic nevus",
    "vasc": "vascular lesion",
}

SOURCE = Source(
    card=Card(
        title="HAM10000",
        part=("imaging",),
        what="Dermoscopy of pigmented lesions in seven classes.",
        size="10,015 pictures",
        licence="CC-BY-NC-4.0",
        access="open",
        home="https://doi.org/10.7910/DVN/DBW86T",
        citation="Tschandl et al., Scientific Data 2018.",
        layout="`HAM10000_metadata*` (lesion_id, image_id, dx, localization) and "
        "`HAM10000_images_part_1/`, `_2/`; from description",
        rank=15,
    ),
    reader=Table(("**/HAM10000_metadata*",)),
    records=Pictures(
        modality=Modality.DERMOSCOPY,
        picture="HAM10000_images_part_1/{image_id}.jpg|HAM10000_images_part_2/{image_id}.jpg"
        "|images/{image_id}.jpg",
        organ="skin",
        labels=one_of("dx", _CLASSES),
        group="{lesion_id}",
        tags={"body_part": "{localization}"},
        metadata={"confirmed_by": "dx_type"},
    ),
    example={
        "lesion_id": "HAM_0000118",
        "image_id": "ISIC_0027419",
        "dx": "bkl",
        "dx_type": "histo",
        "age": "80.0",
        "sex": "male",
        "localization": "scalp",
    },
)
