"""RadImageNet, ultrasound: organs and findings in fifteen classes."""

from lingshu_core.modality import Modality
from lingshu_data.imaging import Pictures
from lingshu_data.labelling import classes_as_they_are
from lingshu_data.readers.folders import ClassFolders
from lingshu_data.source import Card, Source

SOURCE = Source(
    card=Card(
        title="RadImageNet, ultrasound",
        part=("imaging",),
        what="Ultrasound of abdomen, pelvis and thyroid in fifteen classes of organs and findings.",
        size="389,885 pictures",
        licence="on request, for research",
        access="request",
        home="https://www.radimagenet.com/",
        citation="Mei et al., Radiology: AI 2022.",
        layout="`radiology_ai/US/CLASS/NAME.png`; from description",
        rank=30,
    ),
    reader=ClassFolders("{root}/US/{label}/{name}", look_for="**/US/**/*"),
    records=Pictures(modality=Modality.ULTRASOUND, labels=classes_as_they_are("label")),
    example={
        "path": "radiology_ai/US/ovary/ovary001.png",
        "root": "radiology_ai",
        "label": "ovary",
        "name": "ovary001.png",
    },
)
