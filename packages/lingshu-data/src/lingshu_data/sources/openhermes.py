"""OpenHermes-2.5: instructions of the general domain without pictures."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import conversation
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a conversation."""
    tags = {"collection": row.maybe("source") or "unknown"}
    if (category := row.maybe("category")) is not None:
        tags["topic"] = category
    yield conversation(row.values["conversations"], intake, split="train", tags=tags)


SOURCE = Source(
    card=Card(
        title="OpenHermes-2.5",
        part=("general",),
        what="Instructions of the general domain, mostly answered by GPT-4.",
        size="1,001,551 conversations",
        licence="as the parts",
        access="open",
        home="https://huggingface.co/datasets/teknium/OpenHermes-2.5",
        citation="Teknium, OpenHermes 2.5, 2023.",
        layout="`openhermes2_5.json`, an array with `conversations`, `source`, `category`; from "
        "description",
        rank=60,
        hub="teknium/OpenHermes-2.5",
    ),
    reader=JsonRows(("**/openhermes2_5.json",)),
    records=records,
    example={
        "source": "airoboros2.2",
        "category": "general",
        "conversations": [
            {"from": "system", "value": "You are a helpful assistant."},
            {"from": "human", "value": "What is the capital of France?"},
            {"from": "gpt", "value": "Paris."},
        ],
    },
    domain="general",
)
