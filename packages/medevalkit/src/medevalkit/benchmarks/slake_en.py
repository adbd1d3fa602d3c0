"""The English questions of SLAKE."""

from dataclasses import replace

from lingshu_core.records import Question
from medevalkit.benchmark import Raw
from medevalkit.benchmarks import slake
from medevalkit.maker import Maker


def _record(row: Raw, maker: Maker) -> Question | None:
    return slake.record(row, maker) if row["q_lang"] == "en" else None


BENCHMARK = replace(
    slake.BENCHMARK,
    card=replace(
        slake.BENCHMARK.card,
        title="SLAKE (English)",
        items=1061,
        paper_items=None,
        paper_pictures=None,
        odd=("The paper pools both languages.",),
    ),
    record=_record,
)
