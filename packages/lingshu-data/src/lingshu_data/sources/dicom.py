"""A folder of DICOM files, whatever they show."""

from lingshu_data.readers.dicom_series import DicomSeries
from lingshu_data.slicing import Series, SliceSettings
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="DICOM files",
        part=("more",),
        what="Any folder of DICOM files; the modality is read from their headers, the patient is "
        "not.",
        size="what is there",
        licence="yours",
        access="open",
        home="https://pydicom.github.io/",
        citation="none",
        layout="`*.dcm` at any depth, files of one series in one folder",
        rank=50,
    ),
    reader=DicomSeries(),
    records=Series(),
    example={"Modality": "CT", "files": ["series/1.dcm"], "series": "1.2.3"},
    settings=SliceSettings,
)
