"""HuatuoGPT2-GPT4-SFT-140K: medical questions in Chinese with answers of GPT-4."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import conversation
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a conversation."""
    turns = row.values.get("conversations") or [
        {"role": ("user", "assistant")[n % 2], "content": str(text)}
        for n, text in enumerate(row.values.get("data") or ())
    ]
    yield conversation(turns, intake, row.maybe("id") or "", split="train")


SOURCE = Source(
    card=Card(
        title="HuatuoGPT2-GPT4-SFT-140K",
        part=("text",),
        what="Medical questions in Chinese with answers of GPT-4.",
        size="142,248 pairs",
        licence="Apache-2.0",
        access="open",
        home="https://huggingface.co/datasets/FreedomIntelligence/HuatuoGPT2-GPT4-SFT-140K",
        citation="Chen et al., HuatuoGPT-II, 2023.",
        layout="`HuatuoGPT2-GPT4-SFT-140K.json`, an array with `conversations`; from description",
        rank=66,
        hub="FreedomIntelligence/HuatuoGPT2-GPT4-SFT-140K",
    ),
    reader=JsonRows(("**/HuatuoGPT2*.json",)),
    records=records,
    example={
        "id": "0",
        "conversations": [
            {"from": "human", "value": "高血压患者应该注意什么。"},
            {"from": "gpt", "value": "应当少盐、多运动并按时服药。"},
        ],
    },
    language="zh",
)
