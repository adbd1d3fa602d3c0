"""The recipes of whole runs: every one plans, and the bars of the small one can be missed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RECIPES = sorted(ROOT.glob("recipes/*.toml"))
BARS = ROOT / "recipes" / "nano" / "bars.py"
LINGSHU = Path(sys.executable).parent / "lingshu"
CHANCE = {"open": 0.1, "closed": 0.5, "choice": 0.25}
LEARNT = {"base": 0.1, "shallow": 0.3, "deep": 0.4, "instruction": 0.9, "rl": 0.9}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_plans_and_names_only_files_that_are_there(path, tmp_path):
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    (tmp_path / "data").mkdir()
    words = ["--dry-run"] + (["--set", "data=data"] if path.stem != "nano" else [])
    done = subprocess.run(
        [LINGSHU, "run", f"recipes/{path.name}", *words],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = f"{done.stdout}{done.stderr}".split()
    named = [word for word in told if word.startswith("recipes/")]
    assert named and all((tmp_path / word).is_file() for word in named)
    assert not (tmp_path / "runs").exists()


def run_bars(folder: Path, learnt: dict[str, float], rewards: list[float]):
    """Runs the bars on a scoreboard in which every kind of a checkpoint scores alike."""
    board = folder / "scoreboard"
    board.mkdir()
    rows = [
        {"checkpoint": name, "kind": kind, "n": 200, "chance": chance,
         "accuracy": min(score, chance) if name == "base" else score}
        for name, score in learnt.items()
        for kind, chance in CHANCE.items()
    ]  # fmt: skip
    steps = [{"step": number, "mean_reward": value} for number, value in enumerate(rewards)]
    (board / "scoreboard.json").write_text(json.dumps(rows), encoding="utf-8")
    (board / "rewards.json").write_text(json.dumps(steps), encoding="utf-8")
    return subprocess.run(
        [sys.executable, BARS, board, "--out", folder / "bars"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_run_that_learned_meets_the_bars(tmp_path):
    done = run_bars(tmp_path, LEARNT, [0.5, 0.6, 0.7, 0.8])
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "bars" / "bars.json").is_file()


@pytest.mark.parametrize(
    ("change", "rewards"),
    [
        ({"instruction": 0.8, "rl": 0.8}, [0.5, 0.6, 0.7, 0.8]),
        ({"deep": 0.95}, [0.5, 0.6, 0.7, 0.8]),
        ({"rl": 0.85}, [0.5, 0.6, 0.7, 0.8]),
        ({}, [0.5, 0.6, 0.7, 0.5]),
    ],
    ids=["too little", "falls", "unlearned", "no reward"],
)
def test_a_run_that_did_not_learn_misses_them(tmp_path, change, rewards):
    done = run_bars(tmp_path, LEARNT | change, rewards)
    assert done.returncode == 1 and "MISSED" in done.stdout
    assert not (tmp_path / "bars").exists()
