"""Compares evaluations of one run in pairs: differences.json and a section of the page.

Usage: differences.py --out DIR --run DIR NAME=EVALUATION…

Every later evaluation is set against every earlier one, as `medevalkit compare` does.
"""

import argparse
import json
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

from lingshu_core.files import fresh_folder, write_atomic
from lingshu_core.panels import Cell, Stats, Table

LAST = ("difference", "from", "to", "p")
COLUMNS = ("kind", "n", "first", "second", "difference", "low", "high", "p")


def main() -> None:
    """Compares, writes the file and the section of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("evaluations", nargs="+", metavar="NAME=EVALUATION")
    given = parser.parse_args()
    pairs = [pair.partition("=")[::2] for pair in given.evaluations]
    rows = [
        {"from": earlier, "to": later, **row}
        for (earlier, first), (later, second) in combinations(pairs, 2)
        for row in compare(first, second)
    ]
    with fresh_folder(given.out) as folder:
        for place in (folder, given.run):
            write_atomic(place / "differences.json", json.dumps(rows, indent=2) + "\n")
        stats(rows).write(folder)


def compare(first: str, second: str) -> list[dict[str, Any]]:
    """Returns the rows on accuracy of `medevalkit compare`."""
    command = [sys.executable, "-m", "medevalkit", "compare", first, second, "--format", "json"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = json.loads(ran.stdout)["rows"]
    return [{name: row[name] for name in COLUMNS} for row in rows if row["measure"] == "accuracy"]


def stats(rows: list[dict[str, Any]]) -> Stats:
    """Returns the section of the page."""
    return Stats(
        title="Differences",
        summary="The same questions, answered by two checkpoints.",
        package="lingshu-workspace",
        version="0",
        command="differences.py",
        panels=(
            Table(
                title="Accuracy, one checkpoint less the other",
                note="With the 95 % interval of the difference, and p by McNemar's exact test.",
                wide=True,
                columns=("checkpoint", "beside", "kind", "n", "its accuracy", "the other's", *LAST),
                rows=tuple(_cells(row) for row in rows),
            ),
        ),
    )


def _cells(row: dict[str, Any]) -> tuple[Cell, ...]:
    names = ("to", "from", "kind", "n", "second", "first", "difference", "low", "high")
    cells = (row[name] for name in names)
    p = "< 0.001" if row["p"] < 0.001 else f"{row['p']:.3f}"
    return (*(round(cell, 3) if isinstance(cell, float) else cell for cell in cells), p)


if __name__ == "__main__":
    main()
