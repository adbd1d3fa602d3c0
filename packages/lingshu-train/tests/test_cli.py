"""The commands around a run, as a person gives them."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForImageTextToText
from typer.testing import CliRunner, Result

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.panels import read_stats
from lingshu_train import checks, model
from lingshu_train.checks import CHECKS
from lingshu_train.cli import app
from lingshu_train.collate import Row
from lingshu_train.estimate import estimate_stage
from lingshu_train.loss import Totals
from lingshu_train.runner import load_processor
from lingshu_train.samples import Codec
from lingshu_train.settings import Norm, Stage

RECIPE = """
stage = "deep"
parent = "{parent}"
mixture = "{mixture}"
dtype = "float32"
[rates]
vision = 1e-3
projector = 2e-3
language = 1e-3
[sequence]
max_length = 512
[engine]
kind = "deepspeed"
checkpointing = false
[data]
workers = 0
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory, base: Path, mixture: Path) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE.format(parent=base, mixture=mixture), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def no_launcher() -> Iterator[None]:
    """Commands are given in one process here: what one tells DeepSpeed is not for the others."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_check_proves_everything_on_the_users_model_and_data(recipe: Path) -> None:
    found = call("check", recipe)
    assert found.exit_code == 0, found.output
    lines = found.stdout.splitlines()
    assert len(lines) == len(CHECKS) == 12
    assert all(line.startswith("ok ") for line in lines)
    assert "silent switches are refused: five of five" in found.stdout
    assert "language" in found.stdout and "at 0.002" in found.stdout


def test_check_of_packing_fails_where_attention_does_not_keep_samples_apart(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is handed positions that go on from sample to sample, behind the back of all."""
    honest = model.row_inputs

    def leaking(row: Row) -> dict[str, Any]:
        inputs = honest(row)
        places = inputs["position_ids"].clone()
        places[0, 0] = torch.arange(row.tokens)
        return {**inputs, "position_ids": places}

    monkeypatch.setattr(model, "row_inputs", leaking)
    found = call("check", recipe, "--set", "attention=sdpa")
    assert isinstance(found.exception, DataError), found.output
    (line,) = [x for x in found.stdout.splitlines() if "packed equals separate" in x]
    assert line.startswith("FAIL")


def test_check_of_the_deal_fails_where_weights_follow_from_a_rank_alone(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in trainers that take the mean on each rank and then over ranks."""
    honest = checks.token_weights

    def local(row: Row, totals: Totals, norm: Norm) -> Tensor:
        return honest(row, Totals.of(row), norm)

    monkeypatch.setattr(checks, "token_weights", local)
    found = call("check", recipe)
    assert isinstance(found.exception, DataError), found.output
    (line,) = [x for x in found.stdout.splitlines() if "the same on any ranks" in x]
    assert line.startswith("FAIL") and "add up to" in line


def test_check_fails_where_a_picture_is_broken(
    recipe: Path, tmp_path: Path, write: Callable[..., Path]
) -> None:
    broken = write(tmp_path / "broken", 12, text=False)
    for path in broken.rglob("*.png"):
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:60])
    found = call("check", recipe, "--set", f"mixture={broken}")
    assert isinstance(found.exception, DataError)
    assert "FAIL  pictures are those of the processor" in found.stdout


@pytest.mark.parametrize("block", ["optimizer", "scheduler", "gradient_accumulation_steps", "bf16"])
def test_a_block_that_would_replace_the_groups_is_refused(
    recipe: Path, tmp_path: Path, block: str
) -> None:
    config = tmp_path / "ds.json"
    config.write_text(json.dumps({block: {"type": "AdamW", "params": {"lr": 1e-4}}}))
    given = ("--set", f"engine.config={config}")
    ran = call("run", recipe, "--out", tmp_path / "out", *given)
    assert isinstance(ran.exception, SettingsError)
    assert f"take {block!r} out" in str(ran.exception)
    checked = call("check", recipe, *given)
    assert "FAIL  the engine takes the groups" in checked.stdout


def test_show_batch_colours_what_is_learned(recipe: Path) -> None:
    found = call("show-batch", recipe, "--step", 2)
    assert found.exit_code == 0, found.output
    assert "samples" in found.stdout and "of them learned" in found.stdout
    assert "picture," in found.stdout and "assistant" in found.stdout


def test_show_batch_as_a_page(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "page"
    found = call("show-batch", recipe, "--out", out, "--set", "packing.mode=step")
    assert found.exit_code == 0, found.output
    stats = read_stats(out)
    passages = [p for panel in stats.panels for p in getattr(panel, "passages", ())]
    learned = "".join(text for text, how in passages if how == "strong")
    given = "".join(text for text, how in passages if how == "soft")
    assert learned.count("<|im_end|>") >= stats.counts["samples"] == 8
    assert "<|im_start|>user" in given and "<|im_start|>user" not in learned
    html = (out / "index.html").read_text(encoding="utf-8")
    assert "Green is learned" in html


def test_a_step_that_is_not_there_is_said(recipe: Path) -> None:
    found = call("show-batch", recipe, "--step", 900)
    assert isinstance(found.exception, SettingsError)
    assert "there is no step 900" in str(found.exception)


def test_dry_run_and_estimate_say_what_it_takes(recipe: Path, tmp_path: Path) -> None:
    found = call("run", recipe, "--out", tmp_path / "out", "--dry-run")
    assert found.exit_code == 0, found.output
    for word in ("parameters", "memory", "steps           5", "tokens", "samples         40"):
        assert word in found.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["lingshu-7b/deep", "lingshu-32b/instruction"])
def test_estimates_of_the_papers_models_need_no_download(name: str) -> None:
    found = call("estimate", name, "--devices", 64, "--device", "h100")
    assert found.exit_code == 0, found.output
    assert "64 x h100" in found.stdout
    count = "8,292,166,656" if "7b" in name else "33,452,718,336"
    assert f"parameters      {count}" in found.stdout


def test_estimate_says_steps_tokens_and_hours_of_a_mixture_on_devices_that_are_not_here(
    recipe: Path, mixture: Path, base: Path
) -> None:
    found = call("estimate", recipe, "--devices", 2, "--device", "h200", "--set", "epochs=3")
    assert found.exit_code == 0, found.output
    said = dict(line.split(maxsplit=1) for line in found.stdout.splitlines()[1:] if line[0] != " ")
    # Two devices, eight samples each, an epoch's last step short: three a time.
    assert said["steps"] == "9" and said["samples"] == "120"
    codec = Codec(load_processor(base), max_length=512)
    tokens = sum(codec.encode(record).tokens for record in Manifest(mixture))
    assert said["tokens"] == f"{3 * tokens:,}"
    assert said["time"].startswith("0 s, where 40% of the device's")


def test_hours_are_those_that_the_operations_take(make_stage: Callable[..., Stage]) -> None:
    """Each device reaches its share of what it can do, and the others wait for the dearest."""
    time = estimate_stage(make_stage(), devices=4, device="h100").time
    assert time and time.hours and 1 <= time.balance < 2
    seconds = time.operations * time.balance / (4 * 989e12 * 0.4)
    assert time.hours == pytest.approx(seconds / 3600)


@pytest.mark.parametrize("launcher", ["torchrun", "slurm"])
def test_launch_prints_and_starts_nothing(recipe: Path, tmp_path: Path, launcher: str) -> None:
    out = tmp_path / "out"
    found = call("run", recipe, "--out", out, "--launch", launcher, "--devices", 4, "--nodes", 2)
    assert found.exit_code == 0
    assert "lingshu_train run" in found.stdout and not out.exists()


def test_export_writes_a_kept_step_as_a_checkpoint(recipe: Path, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    sets = ("--set", "checkpoints.every=2", "--set", "engine.kind=torch")
    assert call("run", recipe, "--out", run, *sets).exit_code == 0
    found = call("export", run, "--out", out, "--step", 4, "--dtype", "bfloat16")
    assert found.exit_code == 0, found.output
    model = AutoModelForImageTextToText.from_pretrained(out, dtype="auto")
    assert str(model.dtype) == "torch.bfloat16"
    missing = call("export", run, "--out", tmp_path / "none", "--step", 3)
    assert isinstance(missing.exception, DataError) and "keeps no step 3" in str(missing.exception)
