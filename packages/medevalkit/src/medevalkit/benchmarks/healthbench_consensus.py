"""HealthBench Consensus: a part of the set, scored apart."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from medevalkit.benchmark import Raw
from medevalkit.benchmarks import healthbench
from medevalkit.rawfiles import read_rows, require


def _rows(folder: Path) -> Iterator[Raw]:
    for path in require(folder, "consensus*.jsonl"):
        yield from read_rows(path)


BENCHMARK = replace(
    healthbench.BENCHMARK,
    card=replace(
        healthbench.BENCHMARK.card, title="HealthBench Consensus", split="consensus", items=3671
    ),
    rows=_rows,
)
