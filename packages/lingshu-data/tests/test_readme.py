"""The README names every operator with its settings, and the figures that the benches wrote."""

import json
import re
from pathlib import Path

import pytest

from lingshu_data.operator import OPERATORS, Policy
from lingshu_data.source import SOURCES

PACKAGE = Path(__file__).parents[1]
README = (PACKAGE / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """Returns the cells of the table below a heading."""
    part = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_operator_stands_there_with_its_settings():
    told = {
        cells[0].strip("`"): re.findall(r"`([a-z_]+)`", cells[2]) for cells in table("Operators")
    }
    known = {
        name.replace("_", "-"): [
            key for key in operator.settings.model_fields if key not in Policy.model_fields
        ]
        for name, operator in OPERATORS.items()
    }
    assert told == known


def test_the_sources_that_read_any_folder_stand_there():
    own = [name for name, source in SOURCES.items() if source.card.licence == "yours"]
    assert len(own) == 4 and all(f"`{name}`" in README for name in own)


def test_the_fault_table_names_tests_that_are_there():
    tests = PACKAGE / "tests"
    names = {path.name for path in tests.rglob("test_*.py")}
    rows = [cells for cells in table("What is guaranteed, and what goes wrong") if len(cells) == 3]
    assert len(rows) > 10
    for *_, where in rows:
        for name in re.findall(r"`([^`]+)`", where):
            assert name in names or (tests / name).is_dir(), name


RESULTS = {
    "minhash": [("speed", "ratio"), ("speed", "datatrove_ratio")],
    "phash": [("speed", kind, "ratio") for kind in (
        "512 px JPEG, grey", "512 px JPEG, grey, grainy", "1024 px JPEG, grey",
        "1024 px JPEG, colour", "512 px PNG, grey",
    )],
    "pipeline": [("share_of_its_speed",)],
    "grouping": [("1 million", "cpu_seconds"), ("5 million", "cpu_seconds")],
    "scale": [("peak_gigabytes",)],
    "start": [("pool, seconds",)],
    "kills": [("kills",), ("finished_shards_met_again",)],
    "real_duplicates": [("05_labels_brainmri", "dropped")],
    "all_data": [("counts", "curated", "in"), ("counts", "mixture", "records")],
}  # fmt: skip


@pytest.mark.parametrize("bench", RESULTS)
def test_figures_are_those_that_the_bench_wrote(bench):
    stored = json.loads((PACKAGE / "bench" / "results" / f"{bench}.json").read_text("utf-8"))
    rows = [cells for cells in table("Figures") if f"`{bench}.py" in cells[3]]
    said = " ".join(" ".join(cells[:2]) for cells in rows)
    numbers = {float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*\.?\d*", said)}
    for steps in RESULTS[bench]:
        value = stored
        for step in steps:
            value = value[step]
        assert {value, round(value, 2), round(value, 1)} & numbers, (steps, value)
