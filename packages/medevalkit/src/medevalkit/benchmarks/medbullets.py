"""MedBullets, both sets pooled, as the paper counts it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from medevalkit.benchmark import Raw
from medevalkit.benchmarks import medbullets_op4 as op4


def _rows(folder: Path) -> Iterator[Raw]:
    for options in (4, 5):
        yield from op4.rows(folder, options)


BENCHMARK = replace(
    op4.BENCHMARK,
    card=replace(
        op4.BENCHMARK.card,
        title="MedBullets",
        items=616,
        paper_items=616,
        odd=(
            "Every question is asked twice, with four and with five options: scores in the paper's "
            "Table 7 fit 616 items and not 308. Intervals count the two as one.",
        ),
    ),
    rows=_rows,
    breakdown=("options_shown",),
)
