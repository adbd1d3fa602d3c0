"""Collects the evaluations of a run into one table: scoreboard.json, rewards.json, a section.

Usage: scoreboard.py --out DIR --run DIR [--rollouts CHECKPOINT] NAME=EVALUATION…
"""

import argparse
import json
from pathlib import Path
from typing import Any

from lingshu_core.files import fresh_folder, write_atomic
from lingshu_core.panels import Bars, Cell, Lines, Panel, Series, Stats, Table

KINDS = ("open", "closed", "choice", "report")


def main() -> None:
    """Reads the scores, writes the two files and the section of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--rollouts", type=Path)
    parser.add_argument("evaluations", nargs="+", metavar="NAME=EVALUATION")
    given = parser.parse_args()
    rows = [
        row
        for name, _, folder in (pair.partition("=") for pair in given.evaluations)
        for row in read_scores(name, Path(folder))
    ]
    rewards = [] if given.rollouts is None else read_rewards(given.rollouts)
    with fresh_folder(given.out) as folder:
        for place in (folder, given.run):
            write_json(place / "scoreboard.json", rows)
            if rewards:
                write_json(place / "rewards.json", rewards)
        stats(rows, rewards).write(folder)


def read_scores(checkpoint: str, folder: Path) -> list[dict[str, Any]]:
    """Returns one row a kind of question from what `medevalkit run` left in a folder."""
    table = json.loads((folder / "scores.json").read_text(encoding="utf-8"))["rows"]
    found = {row["kind"]: row for row in table if row["by"] is None and row["profile"] == "strict"}
    return [
        {
            "checkpoint": checkpoint,
            "kind": kind,
            "n": found[kind]["n"],
            "accuracy": found[kind]["accuracy"],
            "chance": found[kind]["chance"],
            "low": found[kind]["low"],
            "high": found[kind]["high"],
        }
        for kind in KINDS
        if kind in found
    ]


def read_rewards(checkpoint: Path) -> list[dict[str, Any]]:
    """Returns the mean reward of every step of reinforcement learning."""
    lines = (checkpoint / "log" / "rollouts.jsonl").read_text(encoding="utf-8").splitlines()
    steps = (json.loads(line) for line in lines)
    return [{"step": step["step"], "mean_reward": step["reward"]} for step in steps]


def write_json(path: Path, value: object) -> None:
    """Writes a value as JSON, whole or not at all."""
    write_atomic(path, json.dumps(value, indent=2) + "\n")


def stats(rows: list[dict[str, Any]], rewards: list[dict[str, Any]]) -> Stats:
    """Returns the section of the page: a table, bars by checkpoint, the curve of the reward."""
    checkpoints = list(dict.fromkeys(row["checkpoint"] for row in rows))
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    by_place = {(row["checkpoint"], row["kind"]): row for row in rows}
    panels: list[Panel] = [
        Table(
            title="Accuracy on questions about pictures never seen",
            note="With its 95 % interval; chance is what guessing would score.",
            wide=True,
            columns=("checkpoint", "kind", "n", "accuracy", "from", "to", "chance"),
            rows=tuple(_cells(row) for row in rows),
        ),
        Bars(
            title="How every checkpoint scores",
            y="accuracy",
            series=tuple(
                Series(
                    name=kind,
                    x=tuple(name for name in checkpoints if (name, kind) in by_place),
                    y=tuple(
                        by_place[name, kind]["accuracy"]
                        for name in checkpoints
                        if (name, kind) in by_place
                    ),
                )
                for kind in kinds
            ),
        ),
    ]
    if rewards:
        panels.append(
            Lines(
                title="How the reward moved",
                note="Mean over the answers of a step; 1.5 is the most there is.",
                x="step of reinforcement learning",
                y="mean reward",
                series=(
                    Series(
                        name="mean reward",
                        x=tuple(float(step["step"]) for step in rewards),
                        y=tuple(step["mean_reward"] for step in rewards),
                    ),
                ),
            )
        )
    return Stats(
        title="Scoreboard",
        summary="The same questions for every checkpoint.",
        package="lingshu-workspace",
        version="0",
        command="scoreboard",
        panels=tuple(panels),
    )


def _cells(row: dict[str, Any]) -> tuple[Cell, ...]:
    names = ("checkpoint", "kind", "n", "accuracy", "low", "high", "chance")
    cells = (row[name] for name in names)
    return tuple(round(cell, 3) if isinstance(cell, float) else cell for cell in cells)


if __name__ == "__main__":
    main()
