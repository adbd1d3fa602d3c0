"""medical-o1-reasoning-SFT: medical problems with long reasoning."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import instruction
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a problem whose response holds reasoning and answer."""
    zh = "chinese" in row.place.lower()
    thought, said = row.text("Complex_CoT"), row.text("Response")
    yield instruction(
        intake,
        row.text("Question"),
        f"<think>{thought}</think>\n{said}",
        language="zh" if zh else "en",
        split="train",
    )


SOURCE = Source(
    card=Card(
        title="medical-o1-reasoning-SFT",
        part=("text",),
        what="Verifiable medical problems with the reasoning that GPT-4o found by search.",
        size="about 25 K problems in English and 25 K in Chinese",
        licence="Apache-2.0",
        access="open",
        home="https://huggingface.co/datasets/FreedomIntelligence/medical-o1-reasoning-SFT",
        citation="Chen et al., HuatuoGPT-o1, 2024.",
        layout="`medical_o1_sft*.json`, arrays with `Question`, `Complex_CoT`, `Response`; from "
        "description",
        rank=66,
        hub="FreedomIntelligence/medical-o1-reasoning-SFT",
    ),
    reader=JsonRows(("**/medical_o1_sft*.json",)),
    records=records,
    example={
        "Question": "A patient has a swollen joint after a meal of meat. What is likely?",
        "Complex_CoT": "A meal rich in purines brings gout to mind.",
        "Response": "Gout is likely.",
    },
)
