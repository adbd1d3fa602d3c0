"""PixMo-Cap: pictures of the general domain with long captions by people."""

import hashlib
from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import Caption, RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.parquet import Parquet
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the caption of a picture that was downloaded under the hash of its address."""
    address = row.text("image_url")
    name = hashlib.sha256(address.encode()).hexdigest()
    yield intake.make(
        Caption,
        address,
        text=row.text("caption"),
        images=pictures_of(intake, f"images/{name}.jpg|images/{name}.png|images/{name}"),
        modality=Modality.NATURAL,
        split="train",
    )


SOURCE = Source(
    card=Card(
        title="PixMo-Cap",
        part=("general",),
        what="Pictures of the web with long captions made of what people said about them.",
        size="717,042 captions",
        licence="ODC-BY-1.0",
        access="open",
        home="https://huggingface.co/datasets/allenai/pixmo-cap",
        citation="Deitke et al., Molmo and PixMo, 2024.",
        layout="`data/train-*.parquet` with `image_url` and `caption`; the pictures, which are not "
        "part of it, under the SHA-256 of their address in `images/`; from description",
        rank=15,
        hub="allenai/pixmo-cap",
    ),
    reader=Parquet(("**/*.parquet",)),
    records=records,
    example={
        "image_url": "https://example.org/1.jpg",
        "caption": "A brown dog lies on a red rug before a window in the afternoon light.",
        "transcripts": ["This is a dog."],
    },
    domain="general",
)
