"""The nano recipe killed again and again: does it end as an undisturbed run does?

Everything that belongs to the run gets SIGKILL at a random moment, then the same command is given
again, until it ends. Compared are the weights of every checkpoint, the scoreboard and the rewards,
byte for byte, with a run of the same seed that nobody disturbed: one that is there (of
`bench/nano.py --keep DIR`), or one that is made first.

    python bench/nano_kills.py [DIR/seed-0] [--seed 0] [--between 20 100]
"""

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "nano_kills.json"
PATIENCE = 3600.0
"""Seconds that nobody disturbs."""
COMPARED = (
    "base/model.safetensors",
    "shallow/model.safetensors",
    "deep/model.safetensors",
    "instruction/model.safetensors",
    "rl/model.safetensors",
    "scoreboard/scoreboard.json",
    "scoreboard/rewards.json",
)


def main() -> None:
    """Kills, starts again, compares, and fails where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("undisturbed", type=Path, nargs="?")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--between", type=float, nargs=2, default=(20.0, 100.0))
    given = parser.parse_args()
    chance = random.Random(given.seed)
    killed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        out, other = Path(folder) / "run", given.undisturbed or Path(folder) / "undisturbed"
        if not given.undisturbed:
            run_for(other, given.seed, PATIENCE)
        while True:
            status = run_for(out, given.seed, chance.uniform(*given.between))
            if status is not None:
                break
            killed.append(", ".join(begun(out)))
            print(f"killed in {killed[-1]}", flush=True)
        again = run_for(out, given.seed, PATIENCE)
        same = {name: digest(out / name) == digest(other / name) for name in COMPARED}
    figures = {
        "kills": len(killed), "steps_that_were_running": killed,
        "status": status, "status_when_started_after_the_end": again, "same_bytes": same,
    }  # fmt: skip
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))
    if status != 0 or not all(same.values()):
        sys.exit("the run did not end as the undisturbed one")


def run_for(out: Path, seed: int, seconds: float) -> int | None:
    """Gives the command, and kills all of it after some seconds; returns its status if it ended."""
    command = [sys.executable, "-m", "lingshu_core", "run", "recipes/nano.toml", "--jobs", "2"]
    with subprocess.Popen(
        [*command, "--set", f"seed={seed}", "--set", f"out={out}"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            family = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            for member in family:
                kill(member)
    time.sleep(1)
    return None


def kill(process: psutil.Process) -> None:
    """Kills a process that may have ended by itself."""
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def begun(out: Path) -> list[str]:
    """Returns the steps of a run that were begun and not ended."""
    state = out / ".lingshu"
    names = sorted(path.stem for path in state.glob("*.started"))
    return [name for name in names if not (state / f"{name}.json").exists()]


def digest(path: Path) -> Any:
    """Returns the SHA-256 of a file, or a name for its absence that equals nothing."""
    if not path.is_file():
        return object()
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
