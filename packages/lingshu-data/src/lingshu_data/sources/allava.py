"""ALLaVA: pictures of the general domain with instructions written by GPT-4V."""

from collections.abc import Iterator

from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import conversation, pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a conversation about a picture."""
    yield conversation(
        row.values["conversations"],
        intake,
        row.text("id"),
        images=pictures_of(intake, row.text("image")),
        modality=Modality.NATURAL,
        split="train",
    )


SOURCE = Source(
    card=Card(
        title="ALLaVA",
        part=("general",),
        what="Instructions about pictures of LAION and Vision-FLAN, written by GPT-4V.",
        size="1.4 M captions and instructions",
        licence="CC-BY-NC-4.0",
        access="open",
        home="https://huggingface.co/datasets/FreedomIntelligence/ALLaVA-4V",
        citation="Chen et al., ALLaVA, 2024.",
        layout="`allava_laion/ALLaVA-Instruct-LAION-4V.json` and the like, arrays of conversations "
        "whose `image` is a path below the root; from description",
        rank=62,
        hub="FreedomIntelligence/ALLaVA-4V",
    ),
    reader=JsonRows(("**/ALLaVA-Instruct-*.json",)),
    records=records,
    example={
        "id": "allava_laion_inst_0",
        "image": "allava_laion/images/100.jpeg",
        "conversations": [
            {"from": "human", "value": "<image>\nWhat mood does the picture convey?"},
            {"from": "gpt", "value": "A calm one, since the colours are soft."},
        ],
        "url": "https://example.org/100.jpeg",
    },
    domain="general",
)
