"""The paper's reinforcement learning against ours: accuracy and paired differences, with intervals.

Issue 5, section 5: one command, on nano and on VQA-RAD, a table with intervals. It has no bar: the
table has to say what is so. Takes finished runs of `recipes/nano.toml`, whose checkpoint both start
from on either, and of `recipes/vqa-rad.toml`, for its questions.

    python bench/rl_comparison.py --nano runs/nano --vqa-rad runs/vqa-rad [--seeds 0 1 2]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "rl_comparison.json"
TITLES = {"nano": "nano", "vqa-rad": "VQA-RAD"}
KINDS = {"open": "words", "closed": "yes/no", "choice": "choice"}
SHOWN = {"before": "before", "paper": "the paper's", "plus": "ours"}
ELSEWHERE = {"vqa-rad": {"questions": "clean", "heldout": "split/test"}}
"""Where a run that is not nano's has its questions."""


def main() -> None:
    """Runs the recipe with every seed on both, prints the tables and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nano", type=Path, required=True)
    parser.add_argument("--vqa-rad", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--keep", type=Path, help="leave the runs in this folder, or go on in it")
    given = parser.parse_args()
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        keep = (given.keep or Path(folder)).resolve()
        for name, data in {"nano": given.nano, "vqa-rad": given.vqa_rad}.items():
            for seed in given.seeds:
                start = given.nano.resolve() / "instruction"
                place = keep / f"{name}-{seed}"
                runs.append(run(name, data.resolve(), start, seed, place))
    RESULTS.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    print(f"{table(runs)}\n\n{differences(runs)}")


def run(name: str, data: Path, start: Path, seed: int, out: Path) -> dict[str, Any]:
    """Runs the recipe, or what is left of it, and returns its figures."""
    sets = {"seed": seed, "data": data, "checkpoint": start, "out": out, **ELSEWHERE.get(name, {})}
    command = [sys.executable, "-m", "lingshu_core", "run", "recipes/rl-comparison.toml"]
    command += ["--jobs", "2"]
    for key, value in sets.items():
        command += ["--set", f"{key}={value}"]
    subprocess.run(command, cwd=ROOT, check=True)
    return {
        "data": name,
        "seed": seed,
        "questions": {one: questions(out / f"{one}-set") for one in ("paper", "plus")},
        "scoreboard": read(out / "scoreboard.json"),
        "differences": read(out / "differences.json"),
    }


def questions(manifest: Path) -> int:
    """Returns how many questions curation kept."""
    return int(read(manifest / "manifest.json")["records"]["question"]["count"])


def read(path: Path) -> Any:
    """Returns what a file of the run holds."""
    return json.loads(path.read_text(encoding="utf-8"))


def table(runs: list[dict[str, Any]]) -> str:
    """Returns the accuracy of every checkpoint with its interval, as it stands in the README."""
    lines = ["| data | seed | kind | questions | before | the paper's | ours |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for one in runs:
        by_place = {(row["checkpoint"], row["kind"]): row for row in one["scoreboard"]}
        for kind in (kind for kind in KINDS if ("before", kind) in by_place):
            rows = [by_place[name, kind] for name in SHOWN]
            cells = [f"{r['accuracy']:.3f} ({r['low']:.3f} to {r['high']:.3f})" for r in rows]
            lines.append(
                f"| {TITLES[one['data']]} | {one['seed']} | {KINDS[kind]} | {rows[0]['n']} "
                f"| {' | '.join(cells)} |"
            )
    return "\n".join(lines)


def differences(runs: list[dict[str, Any]]) -> str:
    """Returns how the checkpoints differ over all questions, as it stands in the README."""
    lines = [
        "| data | seed | of | less | difference | 95 % interval | p |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {TITLES[one['data']]} | {one['seed']} | {SHOWN[row['to']]} | {SHOWN[row['from']]} "
        f"| {row['difference']:+.3f} | {row['low']:+.3f} to {row['high']:+.3f} "
        f"| {significance(row['p'])} |"
        for one in runs
        for row in one["differences"]
        if row["kind"] == "all"
    ]
    return "\n".join(lines)


def significance(p: float) -> str:
    """Returns a p as it is printed."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


if __name__ == "__main__":
    main()
