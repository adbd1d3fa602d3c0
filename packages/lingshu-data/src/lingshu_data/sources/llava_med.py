"""LLaVA-Med, instructions in English."""

from collections.abc import Iterator, Mapping
from typing import Any

from lingshu_core.errors import DataError
from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import conversation, pictures_of
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source

_MODALITIES = {
    "chest_xray": Modality.XRAY,
    "mri": Modality.MRI,
    "histology": Modality.HISTOPATHOLOGY,
    "gross": Modality.PHOTOGRAPH,
    "ct_scan": Modality.CT,
}


def turns_of(row: Row) -> list[Mapping[str, Any]]:
    """Returns the turns; some of the published files misspell the key."""
    turns = row.values.get("conversations") or row.values.get("conversatons")
    if not isinstance(turns, list) or len(turns) < 2:
        raise DataError("has no conversation", field="conversations")
    return turns


def modality_of(row: Row) -> Modality:
    """Returns the modality that a row's flags name."""
    flags = row.values.get("domain") or {}
    named = [modality for name, modality in _MODALITIES.items() if flags.get(name)]
    return named[0] if len(named) == 1 else Modality.UNKNOWN


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields the conversation about one figure."""
    image = row.text("image")
    yield conversation(
        turns_of(row),
        intake,
        row.maybe("id") or "",
        images=pictures_of(intake, f"images/{image}"),
        modality=modality_of(row),
        group=intake.group(image),
        split="train",
    )


SOURCE = Source(
    card=Card(
        title="LLaVA-Med",
        part=("instruction",),
        what="Conversations about figures of PubMed Central, written by GPT-4 from captions.",
        size="60 K conversations",
        licence="CC-BY-NC-4.0",
        access="open",
        home="https://github.com/microsoft/LLaVA-Med",
        citation="Li et al., LLaVA-Med, NeurIPS 2023.",
        layout="`llava_med_instruct_60k*.json`, an array of conversations, and `images/`; keys "
        "seen in public code that reads it",
        rank=60,
    ),
    reader=JsonRows(("**/llava_med_instruct*.json",)),
    records=records,
    example={
        "id": "28836390",
        "image": "28836390_Fig2.jpg",
        "domain": {
            "chest_xray": False,
            "mri": False,
            "histology": True,
            "gross": False,
            "ct_scan": False,
        },
        "conversations": [
            {"from": "human", "value": "<image>\nWhich stain was used?"},
            {"from": "gpt", "value": "The section was stained with haematoxylin and eosin."},
            {"from": "human", "value": "Are there mitoses?"},
            {"from": "gpt", "value": "None can be made out in this field."},
        ],
    },
)
