"""A folder of pictures, whatever they show."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.imaging import Pictures
from lingshu_data.intake import Intake
from lingshu_data.reader import Row
from lingshu_data.readers.folders import AllPictures
from lingshu_data.source import Card, Source, SourceSettings


class Settings(SourceSettings):
    """What the files do not say."""

    modality: Modality = Modality.UNKNOWN
    organ: str | None = None


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a picture."""
    settings: Settings = intake.settings
    yield from Pictures(modality=settings.modality, organ=settings.organ)(row, intake)


SOURCE = Source(
    card=Card(
        title="Picture files",
        part=("more",),
        what="Any folder of pictures; `lingshu-data classify` can find their modality.",
        size="what is there",
        licence="yours",
        access="open",
        home="https://pillow.readthedocs.io/",
        citation="none",
        layout="picture files at any depth",
        rank=50,
    ),
    reader=AllPictures(),
    records=records,
    example={"path": "eye/retina.jpg"},
    settings=Settings,
)
