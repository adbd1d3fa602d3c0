import subprocess
import sys

import pytest
from typer.testing import CliRunner

from lingshu_rl.cli import app


def test_help_and_import_are_light():
    code = "import sys, lingshu_rl.cli, lingshu_rl.settings, lingshu_rl.plan; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "transformers", "vllm", "trl", "deepspeed", "PIL"} & set(loaded)


@pytest.mark.parametrize("verb", ["curate", "run"])
def test_every_verb_has_an_example(verb: str):
    result = CliRunner().invoke(app, [verb, "--help"])
    assert result.exit_code == 0
    assert f"lingshu-rl {verb}" in result.output


def test_unknown_recipe_names_the_nearest():
    run = subprocess.run(
        [sys.executable, "-m", "lingshu_rl", "run", "nanno", "--out", "nowhere"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    assert "did you mean 'nano'" in run.stderr


def test_unknown_setting_names_the_nearest():
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "lingshu_rl",
            "run",
            "nano",
            "--set",
            "promts=x",
            "--out",
            "nowhere",
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    assert "did you mean 'prompts'" in run.stderr


def test_missing_manifest_is_broken_data(tmp_path):
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "lingshu_rl",
            "curate",
            str(tmp_path / "none"),
            "--recipe",
            "curate-nano",
            "--out",
            str(tmp_path / "o"),
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 3
    assert "Traceback" not in run.stderr
