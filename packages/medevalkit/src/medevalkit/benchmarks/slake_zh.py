"""The Chinese questions of SLAKE."""

from dataclasses import replace

from lingshu_core.records import Question
from medevalkit.benchmark import Raw
from medevalkit.benchmarks import slake
from medevalkit.maker import Maker


def _record(row: Raw, maker: Maker) -> Question | None:
    return slake.record(row, maker) if row["q_lang"] == "zh" else None


BENCHMARK = replace(
    slake.BENCHMARK,
    card=replace(
        slake.BENCHMARK.card,
        title="SLAKE (Chinese)",
        items=1033,
        paper_items=None,
        paper_pictures=None,
        odd=("The paper pools both languages.",),
    ),
    record=_record,
    example={
        **slake.BENCHMARK.example,
        "question": "图中的疾病位于哪里?",
        "answer": "右肺",
        "q_lang": "zh",
        "answer_type": "OPEN",
        "qid": 13480,
        "content_type": "Position",
    },
)
