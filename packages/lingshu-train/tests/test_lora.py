"""Adapters: only they train, they come out merged, and they begin alike everywhere."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lingshu_core.errors import SettingsError
from lingshu_train.metrics import read_notes
from lingshu_train.runner import assemble, open_sources, run_stage
from lingshu_train.settings import Stage
from lingshu_train.world import World

pytest.importorskip("peft")

Make = Callable[..., Stage]
LORA = {"rank": 4, "targets": ["q_proj", "down_proj"]}
CHANGES = {"rates": {"language": 1e-2}, "lora": LORA, "checkpoints": {"every": 2, "keep": 9}}


@pytest.fixture(scope="module")
def heldout(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., Path]) -> Path:
    return write(tmp_path_factory.mktemp("data") / "heldout", 10, start=500)


@pytest.fixture(scope="module")
def tuned(
    tmp_path_factory: pytest.TempPathFactory, make_stage: Make, heldout: Path, world: World
) -> Path:
    out = tmp_path_factory.mktemp("runs") / "tuned"
    stage = make_stage(**CHANGES, heldout=str(heldout), evaluation={"generations": 0})
    run_stage(stage, "t", out, world)
    return out


def test_only_what_has_adapters_changes_and_names_are_those_of_the_parent(
    tuned: Path, base: Path
) -> None:
    before, after = (load_file(path / "model.safetensors") for path in (base, tuned))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {
        f"model.layers.{layer}.{name}.weight"
        for layer in (0, 1)
        for name in ("self_attn.q_proj", "mlp.down_proj")
    }
    # The change has the rank of the adapters.
    name = "model.layers.0.mlp.down_proj.weight"
    assert torch.linalg.matrix_rank(after[name] - before[name], rtol=1e-3) <= LORA["rank"]


def test_the_merged_checkpoint_computes_what_the_adapted_model_did(
    tmp_path: Path, tuned: Path, make_stage: Make, heldout: Path, world: World
) -> None:
    """Loaded as a parent, without adapters, it has the loss that was last noted."""
    stage = make_stage(
        parent=str(tuned), heldout=str(heldout), evaluation={"generations": 0}
    )  # fmt: skip
    run = assemble(open_sources(stage, "t", tmp_path, world), world)
    assert run.heldout and run.journal
    with run.journal:
        found = run.heldout.look(run.engine, 0)
    assert found.loss == pytest.approx(read_notes(tuned)[1][-1].loss, abs=1e-5)


def test_begun_again_or_gone_on_with_it_ends_with_the_same_bytes(
    tmp_path: Path, tuned: Path, make_stage: Make, world: World
) -> None:
    """Random numbers that were used before change nothing: other ranks have used others."""
    torch.manual_seed(99)
    run_stage(make_stage(**CHANGES), "t", tmp_path / "again", world)
    for name in ("state", "log"):
        shutil.copytree(tuned / name, tmp_path / "killed" / name)
    shutil.copy(tuned / "settings.json", tmp_path / "killed")
    shutil.rmtree(tmp_path / "killed/state/step-00000005")
    run_stage(make_stage(**CHANGES), "t", tmp_path / "killed", world)
    whole = (tuned / "model.safetensors").read_bytes()
    assert all(
        (tmp_path / n / "model.safetensors").read_bytes() == whole for n in ("again", "killed")
    )


def test_a_layer_that_is_not_there_is_refused(
    tmp_path: Path, make_stage: Make, world: World
) -> None:
    stage = make_stage(rates={"language": 1e-2}, lora={"targets": ["query"]})
    with pytest.raises(SettingsError, match="name no layer of the model"):
        run_stage(stage, "t", tmp_path / "out", world)
