"""Medical-R1-Distill-Data: medical problems with the reasoning of DeepSeek-R1."""

from collections.abc import Iterator

from lingshu_core.records import RecordBase
from lingshu_data.intake import Intake
from lingshu_data.making import instruction
from lingshu_data.reader import Row
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.source import Card, Source


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields a problem whose response holds reasoning and answer."""
    thought = row.text("reasoning (reasoning_content)")
    said = row.text("response (content)")
    yield instruction(
        intake,
        row.text("question"),
        f"<think>{thought}</think>\n{said}",
        language="zh" if "chinese" in row.place.lower() else "en",
        split="train",
    )


SOURCE = Source(
    card=Card(
        title="Medical-R1-Distill-Data",
        part=("text",),
        what="Verifiable medical problems with the reasoning of DeepSeek-R1.",
        size="22,000 problems, and 17,000 in Chinese",
        licence="Apache-2.0",
        access="open",
        home="https://huggingface.co/datasets/FreedomIntelligence/Medical-R1-Distill-Data",
        citation="Chen et al., HuatuoGPT-o1, 2024.",
        layout="`medical_r1_distill_sft*.json`, an array with `question`, `reasoning "
        "(reasoning_content)`, `response (content)`; seen in public code that reads it",
        rank=66,
        hub="FreedomIntelligence/Medical-R1-Distill-Data",
    ),
    reader=JsonRows(("**/medical_r1_distill_sft*.json",)),
    records=records,
    example={
        "question": "Which bone is broken most often in a fall on the hand?",
        "reasoning (reasoning_content)": "The distal radius takes the force.",
        "response (content)": "The distal radius.",
    },
)
