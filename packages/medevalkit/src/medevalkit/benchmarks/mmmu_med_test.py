"""MMMU, Health & Medicine, test: the publisher keeps the answers to himself."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from medevalkit.benchmark import Raw
from medevalkit.benchmarks import mmmu_med_val as val


def _rows(folder: Path) -> Iterator[Raw]:
    yield from val.rows(folder, "test")


BENCHMARK = replace(
    val.BENCHMARK,
    card=replace(
        val.BENCHMARK.card,
        title="MMMU Health & Medicine (test)",
        split="test",
        items=1752,
        paper_items=1927,
        paper_pictures=1927,
        odd=(
            "The answers are not published and are not shipped here: items come out as unjudged. "
            "What was answered stands in the run's `predictions`; MMMU's own server scores it.",
            "Table 25 of the paper counts 1,927 and as many pictures: these 1,752 with the 150 of "
            "the validation and 25 of the development split.",
        ),
    ),
    rows=_rows,
    example={**val.BENCHMARK.example, "id": "test_Clinical_Medicine_1", "answer": "?"},
    files=tuple(f"{subject}/test-*.parquet" for subject in val.SUBJECTS),
)
