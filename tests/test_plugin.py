"""The example of a plug-in: built as a wheel, put on the path, and found by three packages."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
PLANTS = (
    {"id": "1", "question": "Which plant gives digoxin?", "answer": "Foxglove"},
    {"id": "2", "question": "Is willow bark a source of salicin?", "answer": "Yes"},
)
EXAM = {"id": 1, "question": "Which gives salicin?", "options": ["Poppy", "Willow"], "answer": 1}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed example, as `uv pip install --target` leaves it."""
    work = tmp_path_factory.mktemp("plugin")
    shutil.copytree(ROOT / "examples" / "plugin", work / "source")
    command = [sys.executable, "-c", BUILD, str(work)]
    subprocess.run(command, cwd=work / "source", check=True, capture_output=True)
    (wheel,) = work.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(work / "site")
    return work / "site"


def ask(command: str, *words: object, site: Path | None = None, plugins: str = "1"):
    """Runs a command with the example on its path, or without."""
    env = {**os.environ, "LINGSHU_PLUGINS": plugins, "OMP_NUM_THREADS": "1"}
    env["PYTHONPATH"] = "" if site is None else str(site)
    return subprocess.run(
        [BIN / command, *map(str, words)], env=env, capture_output=True, text=True, check=False
    )


def lines(path: Path, rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_its_dataset_is_ingested(installed, tmp_path):
    lines(tmp_path / "raw" / "plants.jsonl", PLANTS)
    words = ("ingest", "plants", "--path", tmp_path / "raw", "--out")
    done = ask("lingshu-data", *words, tmp_path / "out", site=installed)
    assert done.returncode == 0, done.stderr
    part = (tmp_path / "out" / "part-00000.jsonl").read_text(encoding="utf-8")
    answers = {(r["answer"], r["answer_kind"]) for r in map(json.loads, part.splitlines())}
    assert answers == {("Foxglove", "open"), ("Yes", "closed")}
    for without in (
        ask("lingshu-data", *words, tmp_path / "no"),
        ask("lingshu-data", *words, tmp_path / "no", site=installed, plugins="0"),
    ):
        assert without.returncode == 2 and "'plants'" in without.stderr


def test_its_benchmark_is_prepared(installed, tmp_path):
    lines(tmp_path / "data" / "exam.jsonl", [EXAM])
    words = ("prepare", "plants", "--from", tmp_path / "data", "--data", tmp_path / "made")
    done = ask("medevalkit", *words, site=installed)
    assert done.returncode == 0, done.stderr
    (part,) = (tmp_path / "made").rglob("part-00000.jsonl")
    assert json.loads(part.read_text(encoding="utf-8"))["answer"] == "B"
    assert ask("medevalkit", "tasks", "plants").returncode == 2


def test_its_reward_scores(installed):
    code = (
        "from lingshu_rl.reward import REWARDS; score = REWARDS.get('brevity').score;"
        "print(score(None, 'word ' * 20).value, score(None, 'word ' * 60).value)"
    )
    done = ask("python", "-c", code, site=installed)
    assert done.stdout.split() == ["1.0", "0.5"], done.stderr
