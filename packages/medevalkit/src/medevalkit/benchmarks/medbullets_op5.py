"""MedBullets with five options."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from medevalkit.benchmark import Raw
from medevalkit.benchmarks import medbullets_op4 as op4


def _rows(folder: Path) -> Iterator[Raw]:
    yield from op4.rows(folder, 5)


BENCHMARK = replace(
    op4.BENCHMARK,
    card=replace(op4.BENCHMARK.card, title="MedBullets (5 options)"),
    rows=_rows,
    example={**op4.BENCHMARK.example, "set": "op5", "ope": "PET"},
)
