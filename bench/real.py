"""The recipes on real datasets: what went in, what was dropped, and how every checkpoint scored.

They have no bar on accuracy (issue 2, section 3): so small a model learns little from so few
pictures, and the table has to say how little.

    python bench/real.py --bccd DIR --vqa-rad DIR [--keep DIR]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "real.json"
TITLES = {"bccd": "BCCD", "vqa-rad": "VQA-RAD"}
SHOWN = {"base": "untrained", "shallow": "first stage", "instruction": "tuned", "rl": "after GRPO"}
LEFT_OUT = "Left out of records"
KINDS = {"open": "words", "closed": "yes/no", "choice": "choice"}


def run(name: str, data: Path, out: Path) -> dict[str, Any]:
    """Runs a recipe, or what is left of it, and returns its figures."""
    command = [sys.executable, "-m", "lingshu_core", "run", f"recipes/{name}.toml"]
    command += ["--jobs", "2", "--set", f"data={data.resolve()}", "--set", f"out={out}"]
    subprocess.run(command, cwd=ROOT, check=True)
    ingested = read(out / "ingest" / "stats.json")
    left_out = [panel["rows"] for panel in ingested["panels"] if panel["title"] == LEFT_OUT]
    return {
        "counts": ingested["counts"],
        "left_out": dict(row for rows in left_out for row in rows),
        "scoreboard": read(out / "scoreboard.json"),
    }


def read(path: Path) -> Any:
    """Returns what a file of the run holds."""
    return json.loads(path.read_text(encoding="utf-8"))


def table(runs: dict[str, dict[str, Any]]) -> str:
    """Returns accuracy with its interval, as it stands in the README."""
    lines = ["| data | checkpoint | kind | questions | accuracy | 95 % interval | chance |"]
    lines += ["|---|---|---|---|---|---|---|"]
    lines += [
        f"| {TITLES[name]} | {SHOWN[row['checkpoint']]} | {KINDS[row['kind']]} | {row['n']} "
        f"| {row['accuracy']:.3f} | {row['low']:.3f} to {row['high']:.3f} | {row['chance']:.3f} |"
        for name, one in runs.items()
        for row in one["scoreboard"]
        if row["kind"] in KINDS
    ]
    return "\n".join(lines)


def main() -> None:
    """Runs both recipes, prints the table and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bccd", type=Path, required=True)
    parser.add_argument("--vqa-rad", type=Path, required=True)
    parser.add_argument("--keep", type=Path, help="leave the runs in this folder, or go on in it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        keep = (given.keep or Path(folder)).resolve()
        places = {"bccd": given.bccd, "vqa-rad": given.vqa_rad}
        runs = {name: run(name, data, keep / name) for name, data in places.items()}
    RESULTS.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    print(table(runs))


if __name__ == "__main__":
    main()
