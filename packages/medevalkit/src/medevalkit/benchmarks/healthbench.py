"""HealthBench: conversations graded by physicians' rubrics, the whole set (Arora et al., 2025)."""

import json
from collections.abc import Iterator
from pathlib import Path

from lingshu_core.digest import record_id
from lingshu_core.modality import Modality
from lingshu_core.records import Dialogue, Turn
from medevalkit.benchmark import Benchmark, Card, Raw
from medevalkit.maker import Maker
from medevalkit.rawfiles import read_rows, require

RUBRIC = "rubric"
"""Tag that holds the rubric as JSON: a list of `criterion` and `points`."""


def record(row: Raw, maker: Maker) -> Dialogue:
    """Returns a conversation that waits for its next turn."""
    rubric = [{"criterion": r["criterion"], "points": r["points"]} for r in row["rubrics"]]
    themes = [tag.partition(":")[2] for tag in row["example_tags"] if tag.startswith("theme:")]
    return Dialogue(
        id=record_id(maker.dataset, row["prompt_id"]),
        source=maker.source(),
        modality=Modality.TEXT,
        turns=tuple(Turn(role=turn["role"], text=turn["content"]) for turn in row["prompt"]),
        tags={
            RUBRIC: json.dumps(rubric, ensure_ascii=False),
            "theme": themes[0] if themes else "none",
        },
    )


def _rows(folder: Path) -> Iterator[Raw]:
    for path in require(folder, "*oss_eval.jsonl"):
        yield from read_rows(path)


BENCHMARK = Benchmark(
    card=Card(
        title="HealthBench",
        kind="text",
        source="https://openaipublic.blob.core.windows.net/simple-evals/healthbench/",
        revision=None,
        split="all",
        licence="MIT",
        citation="Arora et al., HealthBench: evaluating large language models towards improved "
        "human health, 2025",
        items=5000,
        odd=(
            "Graded by a judge against each item's own rubric: nothing is scored without one.",
            "An item's score is the points it earned by those it could earn; a mean below 0 counts "
            "as 0. The official kit pools this set with the other two.",
        ),
    ),
    rows=_rows,
    record=record,
    example={
        "prompt_id": "p1",
        "prompt": [{"role": "user", "content": "My child has a fever. What shall I do?"}],
        "rubrics": [
            {"criterion": "Asks for the child's age", "points": 5, "tags": []},
            {"criterion": "Names a wrong dose", "points": -7, "tags": []},
        ],
        "example_tags": ["theme:context_seeking"],
    },
    breakdown=("theme",),
)
