import json
import subprocess
import sys

import pytest

from lingshu_core.manifest import Manifest
from lingshu_core.panels import read_stats


def test_the_command_line_loads_nothing_heavy():
    code = "import sys, lingshu_synth.cli; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "vllm", "openai", "numpy", "PIL", "nibabel", "SimpleITK"}
    assert not heavy & set(run.stdout.split())


def test_a_command_leaves_manifest_settings_figures_and_page(gallery, tmp_path):
    out = tmp_path / "out"
    words = ["vqa", gallery, "--out", out, "--set", "per_record=3"]
    program = [sys.executable, "-m", "lingshu_synth", *map(str, words)]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    stats = read_stats(out)
    assert stats.counts["in"] == 60
    assert stats.counts["out"] == len(Manifest(out)) > 100
    assert json.loads((out / "settings.json").read_text())["per_record"] == 3
    page = (out / "index.html").read_text()
    assert "Examples: choice questions" in page and "data:image/png" in page


def test_given_again_it_does_nothing(command, gallery, tmp_path):
    out = tmp_path / "out"
    command("captions", gallery, "--out", out)
    before = (out / "manifest.json").stat().st_mtime_ns
    again = command("captions", gallery, "--out", out)
    assert again.returncode == 0 and "nothing to do" in again.stderr
    assert (out / "manifest.json").stat().st_mtime_ns == before
    other = command("captions", gallery, "--out", out, "--set", "seed=5")
    assert other.returncode == 2 and "other settings" in other.stderr


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--set", "per_recrod=3"], 2, "per_record"),
        (["--set", "per_record=0"], 2, "per_record"),
        (["--set", 'topics=["organs"]'], 2, "topics"),
        (["--recipe", "nothing"], 2, "nothing"),
    ],
)
def test_wrong_words(command, gallery, tmp_path, words, status, told):
    run = command("vqa", gallery, "--out", tmp_path / "out", *words)
    assert run.returncode == status
    assert told in run.stderr and "Traceback" not in run.stderr
    assert not (tmp_path / "out").exists()


def test_a_broken_line_is_named(command, varied, tmp_path):
    part = varied / "part-00000.jsonl"
    lines = part.read_bytes().splitlines(keepends=True)
    part.write_bytes(b"".join(lines[:3]) + lines[3][:40])
    run = command("vqa", varied, "--out", tmp_path / "out")
    assert run.returncode == 3
    assert "part-00000.jsonl:4" in run.stderr
    assert not (tmp_path / "out").exists()
