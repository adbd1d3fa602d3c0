"""SIGKILL at any moment: the same command goes on, and ends with the same bytes."""

import random
import signal
import subprocess
from pathlib import Path

import pytest
from rl_command import command, environment, finish, kill_after

from lingshu_core.checkpoint import is_checkpoint
from lingshu_core.manifest import Manifest

SAME = ("model.safetensors", "log/steps.jsonl", "log/rollouts.jsonl", "index.html")


def _equal(one: Path, other: Path) -> None:
    for name in SAME:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    assert Manifest(one / "rollouts").digest() == Manifest(other / "rollouts").digest()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_random_moments(toys: Path, tmp_path: Path):
    draw = random.Random(7)
    prompts, parent = toys / "toy-32-0-0", toys / "parent"
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    finish(command(whole, prompts, parent, "batch.rollouts=8"))
    words = command(cut, prompts, parent, "batch.rollouts=8")
    kills = 0
    for wanted in (1, 3, 5, 7, 9, 11):
        kills += kill_after(words, cut / "log" / "steps.jsonl", wanted, draw.uniform(0, 0.3))
        # On a quick machine the last kills may come when all is done.
        if is_checkpoint(cut):
            break
    assert kills >= 3
    finish(words)
    _equal(whole, cut)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_interrupted_politely_is_exit_4(toys: Path, tmp_path: Path):
    words = command(tmp_path, toys / "toy-32-0-0", toys / "parent", "batch.rollouts=8")
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment())
    marks = tmp_path / "log" / "steps.jsonl"
    while not (marks.is_file() and marks.read_text()):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "the same command goes on" in said and "Traceback" not in said
