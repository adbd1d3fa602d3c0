"""Two gloo ranks: DDP, ZeRO-2 and ZeRO-3, pictures beside text, resumed exactly."""

import shutil
import subprocess
from pathlib import Path

import pytest
import rl_toy
from rl_command import command, environment, finish

from lingshu_core.manifest import Manifest
from lingshu_core.records import Prediction
from lingshu_core.selection import merge
from lingshu_rl.logbook import Journal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
MODES = ("none", "zero2", "zero3")


@pytest.fixture(scope="module")
def mixed(toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    text = rl_toy.questions(folder, 16, text_only=True)
    merge([Manifest(toys / "toy-32-0-0"), Manifest(text)], folder / "both")
    return folder / "both"


@pytest.fixture(scope="module")
def runs(toys: Path, mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A whole run of each mode."""
    folder = tmp_path_factory.mktemp("runs")
    for mode in MODES:
        finish(_words(folder / mode, mode, mixed, toys))
    return {mode: folder / mode for mode in MODES}


def _words(out: Path, mode: str, mixed: Path, toys: Path, machines: int = 1) -> list[str]:
    settings = ("keep=9", f"hardware.deepspeed={mode}")
    return command(out, mixed, toys / "parent", *settings, ranks=2, machines=machines)


def test_modes_see_the_same_answers_and_learn_the_same(runs: dict[str, Path]):
    lines = {mode: Journal(out / "log" / "rollouts.jsonl").read() for mode, out in runs.items()}
    assert lines["none"][0] == lines["zero2"][0] == lines["zero3"][0]
    kinds = {tuple(line["by_modality"]) for line in lines["zero3"]}
    assert kinds == {("other",), ("text",)}
    steps = {mode: Journal(out / "log" / "steps.jsonl").read() for mode, out in runs.items()}
    for ours, theirs in zip(steps["zero2"], steps["zero3"], strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], abs=1e-4)
        assert ours["kl"] == pytest.approx(theirs["kl"], abs=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_every_answer_is_kept_once(mode: str, runs: dict[str, Path]):
    answers = list(Manifest(runs[mode] / "rollouts").of(Prediction))
    assert len(answers) == 4 * 16
    assert len({answer.id for answer in answers}) == len(answers)


@pytest.mark.parametrize("mode", MODES)
def test_resume_is_exact(mode: str, runs: dict[str, Path], mixed: Path, toys: Path, tmp_path: Path):
    cut = tmp_path / "cut"
    shutil.copytree(runs[mode], cut)
    (cut / "lingshu.json").unlink()
    (cut / "model.safetensors").unlink()
    for step in (6, 8):
        shutil.rmtree(cut / "state" / f"checkpoint-{step}")
    finish(_words(cut, mode, mixed, toys))
    for name in ("model.safetensors", "log/steps.jsonl", "log/rollouts.jsonl"):
        assert (runs[mode] / name).read_bytes() == (cut / name).read_bytes(), name


@pytest.mark.parametrize("mode", MODES)
def test_output_loads_whole(mode: str, runs: dict[str, Path]):
    from lingshu_rl.loading import load_model

    model = load_model(runs[mode], "float32")
    assert sum(parameter.numel() for parameter in model.parameters()) > 100_000


def test_two_machines_end_as_two_ranks_of_one(
    runs: dict[str, Path], mixed: Path, toys: Path, tmp_path: Path
):
    """The same command on two machines that are both this one, each with one rank."""
    out = tmp_path / "out"
    words = _words(out, "zero2", mixed, toys, machines=2)
    machines = [
        subprocess.Popen(words, env=environment(), stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [machine.communicate(timeout=600)[1] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said[0][-3000:] + said[1][-3000:]
    for name in ("model.safetensors", "log/steps.jsonl", "log/rollouts.jsonl"):
        assert (runs["zero2"] / name).read_bytes() == (out / name).read_bytes(), name
