"""A stage from beginning to end."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText, AutoProcessor

from lingshu_core.checkpoint import read_checkpoint
from lingshu_core.errors import SettingsError
from lingshu_core.panels import read_stats
from lingshu_train.groups import group_of
from lingshu_train.runner import run_stage
from lingshu_train.settings import Stage
from lingshu_train.state import slot_names
from lingshu_train.world import World

Make = Callable[..., Stage]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, make_stage: Make, world: World) -> Path:
    out = tmp_path_factory.mktemp("runs") / "deep"
    run_stage(make_stage(), "t", out, world)
    return out


def test_the_folder_is_a_checkpoint_that_transformers_loads(finished: Path) -> None:
    found = read_checkpoint(finished, verify=True)
    assert (found.stage, found.samples) == ("deep", 40)
    assert found.metrics["loss"] > 0
    model = AutoModelForImageTextToText.from_pretrained(finished)
    AutoProcessor.from_pretrained(finished)
    assert model.config.tie_word_embeddings


def test_every_step_is_in_the_log(finished: Path) -> None:
    lines = [json.loads(x) for x in (finished / "log/metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5]
    assert set(lines[0]["rates"]) == {"vision", "projector", "language"}
    assert lines[2]["rates"]["projector"] == pytest.approx(2 * lines[2]["rates"]["vision"])


def test_the_page_tells_of_the_run(finished: Path) -> None:
    stats = read_stats(finished)
    titles = [panel.title for panel in stats.panels]
    assert {
        "Loss", "Learning rates", "Loss by kind of sample", "Loss by dataset", "Speed",
        "Norm of the gradient", "Packing", "Parts of the model", "Set aside",
    } <= set(titles)  # fmt: skip
    assert (finished / "index.html").is_file()
    packing = dict(next(p for p in stats.panels if p.title == "Packing").rows)
    assert packing["mode"] == "none"
    assert packing["samples a step"] == packing["rows a step"] == "8.0 in the mean"
    tokens = stats.counts["tokens"] / 40
    assert float(packing["filled"].split("%")[0]) == pytest.approx(100 * tokens / 512, abs=0.5)


def test_parts_at_one_rate_are_one_curve(tmp_path: Path, make_stage: Make, world: World) -> None:
    stage = make_stage(rates={"vision": 1e-4, "projector": 1e-3, "language": 1e-3})
    run_stage(stage, "t", tmp_path / "out", world)
    rates = next(p for p in read_stats(tmp_path / "out").panels if p.title == "Learning rates")
    assert [series.name for series in rates.series] == ["vision", "projector and language"]


def test_given_again_it_does_nothing(
    finished: Path, make_stage: Make, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {p: p.stat().st_mtime_ns for p in finished.rglob("*")}
    run_stage(make_stage(), "t", finished, world)
    assert "nothing to do" in capsys.readouterr().err
    assert {p: p.stat().st_mtime_ns for p in finished.rglob("*")} == before


def test_other_settings_for_the_same_folder_are_refused(
    finished: Path, make_stage: Make, world: World
) -> None:
    with pytest.raises(SettingsError, match="other settings"):
        run_stage(make_stage(seed=5), "t", finished, world)


def test_a_frozen_part_has_no_state_and_is_bit_equal_afterwards(
    tmp_path: Path, make_stage: Make, world: World, base: Path
) -> None:
    frozen = make_stage(rates={"vision": 1e-3, "projector": 1e-3})
    run_stage(frozen, "t", tmp_path / "out", world)
    kept = slot_names(tmp_path / "out/state/step-00000005")
    assert kept and {group_of(name) for name in kept} == {"vision", "projector"}
    before = load_file(base / "model.safetensors")
    after = load_file(tmp_path / "out" / "model.safetensors")
    assert before.keys() == after.keys()
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in before if "visual" not in name} == same
