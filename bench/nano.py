"""The nano recipe with three seeds: scores of every checkpoint, time and memory.

Bars (issue 2, section 3): the recipe's own bars on learning for every seed (the recipe fails where
one is missed); at most 8 minutes and 6 GB on two cores with nothing else running.

    python bench/nano.py [--seeds 0 1 2] [--keep DIR]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "nano.json"
MINUTES, GIGABYTES = 8.0, 6.0
KINDS = ("open", "closed", "choice", "report")
SHOWN = {"base": "untrained", "instruction": "third stage", "rl": "after GRPO"}


def run(seed: int, out: Path) -> dict[str, Any]:
    """Runs the recipe with a seed and returns its figures."""
    command = [sys.executable, "-m", "lingshu_core", "run", "recipes/nano.toml", "--jobs", "2"]
    start = time.monotonic()
    with subprocess.Popen(
        [*command, "--set", f"seed={seed}", "--set", f"out={out}"], cwd=ROOT
    ) as process:
        watch = Watch(process.pid)
        status = process.wait()
        peak = watch.stop()
    seconds = time.monotonic() - start
    rows = read(out / "scoreboard.json")
    rewards = [step["mean_reward"] for step in read(out / "rewards.json")]
    quarter = max(1, len(rewards) // 4)
    return {
        "seed": seed,
        "bars_on_learning": status == 0,
        "seconds": round(seconds, 1),
        "steps_seconds": steps(out),
        "peak_gb": round(peak / 2**30, 2),
        "reward_first_quarter": sum(rewards[:quarter]) / quarter if rewards else None,
        "reward_last_quarter": sum(rewards[-quarter:]) / quarter if rewards else None,
        "scoreboard": rows,
    }


class Watch:
    """Looks every two seconds (it costs time) at the memory of a process and all below it."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Ends looking and returns the greatest sum of private and shared parts, in bytes."""
        self._done.set()
        self._thread.join()
        return self._peak

    def _look(self) -> None:
        while not self._done.wait(2):
            self._peak = max(self._peak, sum(map(held, self._family())))

    def _family(self) -> list[psutil.Process]:
        try:
            return [self._process, *self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def held(process: psutil.Process) -> int:
    """Returns what a process holds, pages that it shares counted in parts; 0 once it has ended."""
    try:
        memory = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
    return int(getattr(memory, "pss", memory.uss))


def read(path: Path) -> list[dict[str, Any]]:
    """Returns the rows of a file of the run, none where it was not reached."""
    if not path.exists():
        return []
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


def steps(out: Path) -> dict[str, float]:
    """Returns how long every step of a run took."""
    found = {}
    for path in sorted((out / ".lingshu").glob("*.json")):
        state = json.loads(path.read_text(encoding="utf-8"))
        if "seconds" in state:
            found[path.stem] = round(state["seconds"], 1)
    return found


def show(runs: list[dict[str, Any]]) -> None:
    """Prints the table, and a line a seed."""
    print(table(runs))
    for one in runs:
        print(
            f"seed {one['seed']}: {one['seconds'] / 60:.1f} minutes, {one['peak_gb']:.2f} GB, bars "
            f"on learning {'met' if one['bars_on_learning'] else 'MISSED'}"
        )


def table(runs: list[dict[str, Any]]) -> str:
    """Returns the accuracy of the checkpoints that count, as it stands in the README."""
    lines = [
        "| seed | checkpoint | words | yes/no | choice | report | reward, first → last quarter |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in runs:
        score = {(row["checkpoint"], row["kind"]): row["accuracy"] for row in one["scoreboard"]}
        for name in (name for name in SHOWN if (name, KINDS[0]) in score):
            cells = [f"{score[name, kind]:.3f}" for kind in KINDS]
            first, last = one["reward_first_quarter"], one["reward_last_quarter"]
            cells.append(f"{first:.2f} → {last:.2f}" if name == "rl" else "")
            lines.append(f"| {one['seed']} | {SHOWN[name]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Runs every seed, prints the table, writes the results, and fails where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--keep", type=Path, help="leave the runs in this folder")
    given = parser.parse_args()
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in given.seeds:
            runs.append(run(seed, (given.keep or Path(folder)) / f"seed-{seed}"))
            missed = keep(runs)  # after every seed: a run takes minutes
    show(runs)
    if any(missed.values()):
        sys.exit(f"missed, by seed: {missed}")


def keep(runs: list[dict[str, Any]]) -> dict[str, list[int]]:
    """Writes the results so far, and returns the seeds that missed each bar."""
    missed = {
        "learning": [one["seed"] for one in runs if not one["bars_on_learning"]],
        f"{MINUTES:g} minutes": [one["seed"] for one in runs if one["seconds"] > MINUTES * 60],
        f"{GIGABYTES:g} GB": [one["seed"] for one in runs if one["peak_gb"] > GIGABYTES],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    figures = {"cores": os.cpu_count(), "missed": missed, "runs": runs}
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return missed


if __name__ == "__main__":
    main()
