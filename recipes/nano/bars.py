"""Says whether a nano run learned what it has to; exit 1 where it did not.

Usage: bars.py SCOREBOARD --out DIR
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lingshu_core.files import fresh_folder, write_atomic

WORDS = 0.85  # stage 3, words and yes/no
CHOICE = 0.15  # stage 3, lettered choices, above chance
NOISE = 0.02  # what two evaluations of the same quality may differ by
ORDER = ("base", "shallow", "deep", "instruction", "rl")

Check = tuple[str, str, bool]


def main() -> None:
    """Prints the table and every bar, and exits with 1 if one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scoreboard", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    rows = json.loads((given.scoreboard / "scoreboard.json").read_text(encoding="utf-8"))
    rewards = json.loads((given.scoreboard / "rewards.json").read_text(encoding="utf-8"))
    checks = [*score_checks(rows), *reward_checks(rewards)]
    show(rows, checks)
    if not all(met for _, _, met in checks):
        sys.exit("the run missed a bar")
    with fresh_folder(given.out) as folder:
        write_atomic(folder / "bars.json", json.dumps(checks, indent=2) + "\n")


def score_checks(rows: list[dict[str, Any]]) -> Iterator[Check]:
    """Yields the bars on accuracy."""
    score = {(row["checkpoint"], row["kind"]): row for row in rows}
    for kind in ("open", "closed", "choice"):
        row = score["base", kind]
        most = row["chance"] + 2 * math.sqrt(row["chance"] * (1 - row["chance"]) / row["n"])
        yield (
            f"untrained, {kind}: no better than chance",
            f"{row['accuracy']:.3f} against {row['chance']:.3f}",
            row["accuracy"] <= most,
        )
    whole = {name: pooled(rows, name) for name in ORDER}
    for before, after in (("shallow", "deep"), ("deep", "instruction")):
        yield (
            f"{after} does not fall below {before}",
            f"{whole[before]:.3f} → {whole[after]:.3f}",
            whole[after] >= whole[before] - NOISE,
        )
    for kind in ("open", "closed"):
        accuracy = score["instruction", kind]["accuracy"]
        yield f"instruction, {kind}: at least {WORDS}", f"{accuracy:.3f}", accuracy >= WORDS
    choice = score["instruction", "choice"]
    least = choice["chance"] + CHOICE
    yield (
        f"instruction, choice: at least {least:.3f}",
        f"{choice['accuracy']:.3f}",
        choice["accuracy"] >= least,
    )
    yield (
        f"rl at most {NOISE} below instruction",
        f"{whole['instruction']:.3f} → {whole['rl']:.3f}",
        whole["rl"] >= whole["instruction"] - NOISE,
    )


def pooled(rows: list[dict[str, Any]], checkpoint: str) -> float:
    """Returns the accuracy over all questions of a checkpoint, reports left out."""
    mine = [row for row in rows if row["checkpoint"] == checkpoint and row["kind"] != "report"]
    right: float = sum(row["accuracy"] * row["n"] for row in mine)
    return right / sum(row["n"] for row in mine)


def reward_checks(rewards: list[dict[str, Any]]) -> Iterator[Check]:
    """Yields the bar on the reward: its last quarter exceeds its first."""
    values = [step["mean_reward"] for step in rewards]
    quarter = max(1, len(values) // 4)
    first = sum(values[:quarter]) / quarter
    last = sum(values[-quarter:]) / quarter
    yield "reward: last quarter above the first", f"{first:.3f} → {last:.3f}", last > first


def show(rows: list[dict[str, Any]], checks: list[Check]) -> None:
    """Prints the scoreboard and the bars."""
    console = Console()
    table = Table("checkpoint", "kind", "n", "accuracy", "chance", title="Held-out pictures")
    for row in rows:
        figures = (str(row["n"]), f"{row['accuracy']:.3f}", f"{row['chance']:.3f}")
        table.add_row(row["checkpoint"], row["kind"], *figures)
    console.print(table)
    for what, figure, met in checks:
        console.print(f"{'[green]met' if met else '[red]MISSED'}[/]  {what}: {figure}")


if __name__ == "__main__":
    main()
