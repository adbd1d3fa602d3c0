"""A folder of NIfTI or NRRD volumes, whatever they show."""

from collections.abc import Iterator

from pydantic import Field

from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.reader import Row
from lingshu_data.readers.volume_files import AllVolumes
from lingshu_data.slicing import SliceSettings, Volumes
from lingshu_data.source import Card, Source


class Settings(SliceSettings):
    """What the files do not say."""

    modality: Modality = Modality.MRI
    organ: str | None = None
    window: tuple[float, float] | None = Field(default=None)
    """What becomes black and white; percentiles where it is left out."""


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a volume and some of its slices."""
    settings: Settings = intake.settings
    make = Volumes(modality=settings.modality, organ=settings.organ, window=settings.window)
    yield from make(row, intake)


SOURCE = Source(
    card=Card(
        title="NIfTI and NRRD files",
        part=("more",),
        what="Any folder of volumes; say what they show with `--set modality=ct organ=liver`.",
        size="what is there",
        licence="yours",
        access="open",
        home="https://nipy.org/nibabel/",
        citation="none",
        layout="`NAME.nii.gz`, `NAME.nii` or `NAME.nrrd` at any depth",
        rank=50,
    ),
    reader=AllVolumes(),
    records=records,
    example={"path": "brain.nii.gz", "masks": []},
    settings=Settings,
)
