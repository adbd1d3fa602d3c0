"""Breast-Cancer: synthetic histopathology of breast cancer with nuclei outlined."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.readers.masks import MaskPictures
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="Breast-Cancer (SNOW)",
        part=("imaging",),
        what="Synthetic tiles of breast cancer histopathology with masks of the nuclei.",
        size="20,000 tiles",
        licence="CC-BY-4.0",
        access="open",
        home="https://doi.org/10.1038/s41597-023-02125-y",
        citation="Ding et al., Scientific Data 2023.",
        layout="`images/NAME.png` and `masks/NAME.png`; from description",
        rank=55,
    ),
    reader=MaskPictures("images/{name}.png", ("masks/{name}.png",), look_for="images/*"),
    records=Pictures(
        modality=Modality.HISTOPATHOLOGY,
        organ="breast",
        sequence="H&E",
        masks={"*": "nucleus"},
    ),
    example={"path": "images/tile_1.png", "name": "tile_1", "masks": ["masks/tile_1.png"]},
)
