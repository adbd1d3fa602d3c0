"""What is kept to go on from: verified, the last few of them, and the one before a damaged one."""

import errno
import resource
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lingshu_core.checkpoint import DESCRIPTION_NAME, is_checkpoint
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest
from lingshu_train import state
from lingshu_train.building import corpus_texts, learn_tokenizer
from lingshu_train.metrics import read_notes
from lingshu_train.plan import Plan
from lingshu_train.runner import assemble, open_sources, run_stage
from lingshu_train.settings import Stage
from lingshu_train.state import Progress, kept, kept_steps, newest
from lingshu_train.world import World

Make = Callable[..., Stage]
EVERY = {"checkpoints": {"every": 1, "keep": 3}}
"""Five steps, the checkpoints of the last three kept."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, make_stage: Make, world: World) -> Path:
    out = tmp_path_factory.mktemp("runs") / "deep"
    run_stage(make_stage(**EVERY), "t", out, world)
    return out


@pytest.fixture
def killed(tmp_path: Path, finished: Path) -> Path:
    """The run as a kill before its end leaves it: with its checkpoints, and nothing finished."""
    out = tmp_path / "deep"
    out.mkdir()
    for name in ("state", "log"):
        shutil.copytree(finished / name, out / name)
    shutil.copy(finished / "settings.json", out)
    return out


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def same(one: Path, other: Path) -> bool:
    first, second = (load_file(path / "model.safetensors") for path in (one, other))
    return all(torch.equal(first[name], second[name]) for name in first | second)


def test_the_last_few_are_kept_and_nothing_half_written(finished: Path) -> None:
    assert kept_steps(finished / "state") == [3, 4, 5]
    names = sorted(path.name for path in (finished / "state").iterdir())
    assert names == ["plan.npz", "step-00000003", "step-00000004", "step-00000005"]


@pytest.mark.parametrize("name", ["slots-00000-000.safetensors", "state.json"])
def test_a_run_goes_on_from_the_checkpoint_before_a_damaged_one(
    killed: Path,
    finished: Path,
    make_stage: Make,
    world: World,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    shutil.rmtree(killed / "state/step-00000005")
    damage(killed / "state/step-00000004" / name)
    run_stage(make_stage(**EVERY), "t", killed, world)
    said = capsys.readouterr().err
    assert f"step-00000004/{name}: is damaged" in said
    assert "going on after step 3 of 5" in said
    assert same(killed, finished)
    assert kept_steps(killed / "state") == [3, 4, 5]


def test_a_missing_file_is_damage_too(killed: Path) -> None:
    (killed / "state/step-00000005/slots-00000-000.safetensors").unlink()
    found = newest(killed / "state")
    assert found is not None and found[1].step == 4


def test_where_all_are_damaged_the_newest_is_named(killed: Path) -> None:
    for path in killed.glob("state/step-*/slots-*"):
        damage(path)
    with pytest.raises(DataError, match=r"step-00000005/slots.*is damaged: remove"):
        newest(killed / "state")


def test_a_step_that_is_named_is_not_replaced_by_another(killed: Path) -> None:
    damage(killed / "state/step-00000004/slots-00000-000.safetensors")
    with pytest.raises(DataError, match=r"step-00000004/slots.*is damaged"):
        kept(killed / "state", 4)
    assert kept(killed / "state", 1) is None


def test_damaged_checkpoints_of_later_steps_do_not_push_good_ones_out(
    killed: Path, make_stage: Make, world: World
) -> None:
    """With one to be kept, it is the one that was just written."""
    for step in (4, 5):
        damage(killed / f"state/step-0000000{step}/slots-00000-000.safetensors")
    stage = make_stage(checkpoints={"every": 1, "keep": 1})
    run = assemble(open_sources(stage, "t", killed, world), world)
    assert run.journal is not None and run.progress.step == 3
    with run.journal:
        state.save(killed / "state", run.progress, run.engine, world, keep=1)
    assert kept_steps(killed / "state") == [3]


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 1}, {"epochs": 2}, {"packing": {"mode": "step"}}, {"data": {"share": 0.5}},
        {"sequence": {"max_length": 500}}, {"rates": {"language": 2e-3}},
    ],
    ids=["seed", "epochs", "packing", "share", "length", "rates"],
)  # fmt: skip
def test_other_settings_are_refused(
    killed: Path, make_stage: Make, world: World, changed: dict[str, object]
) -> None:
    with pytest.raises(SettingsError, match="was begun with another"):
        run_stage(make_stage(**EVERY, **changed), "t", killed, world)


def test_another_mixture_does_not_match_the_plan(
    killed: Path, tmp_path: Path, make_stage: Make, write: Callable[..., Path], world: World
) -> None:
    other = write(tmp_path / "other", 40, start=7)
    with pytest.raises(SettingsError, match="the plan of this run is another one"):
        run_stage(make_stage(mixture=str(other), **EVERY), "t", killed, world)


def test_another_tokenizer_does_not_match_the_plan(
    killed: Path, tmp_path: Path, make_stage: Make, base: Path, mixture: Path, world: World
) -> None:
    other = tmp_path / "base"
    shutil.copytree(base, other)
    learn_tokenizer(corpus_texts(Manifest(mixture)), 400).save_pretrained(other)
    with pytest.raises(SettingsError, match="the plan of this run is another one"):
        run_stage(make_stage(parent=str(other), **EVERY), "t", killed, world)


def test_another_parent_is_refused(
    killed: Path, tmp_path: Path, make_stage: Make, base: Path, world: World
) -> None:
    """Its frozen parts would be mixed with what was trained beside others."""
    other = tmp_path / "base"
    shutil.copytree(base, other)
    weights = load_file(base / "model.safetensors")
    moved = {name: tensor + 0.01 for name, tensor in weights.items()}
    save_file(moved, other / "model.safetensors", metadata={"format": "pt"})
    (other / DESCRIPTION_NAME).unlink()
    with pytest.raises(SettingsError, match="was made from another parent"):
        run_stage(make_stage(parent=str(other), **EVERY), "t", killed, world)


def test_a_checkpoint_of_another_plan_is_refused(
    killed: Path, make_stage: Make, world: World
) -> None:
    path = killed / "state/step-00000005/state.json"
    progress = Progress.model_validate_json(path.read_bytes())
    progress.plan = "0" * 64
    progress.check = progress.digest()
    path.write_text(progress.model_dump_json())
    with pytest.raises(SettingsError, match="the checkpoint belongs to another plan"):
        run_stage(make_stage(**EVERY), "t", killed, world)


def test_a_full_disk_leaves_the_last_checkpoint_whole(
    small_disk: Path, finished: Path, make_stage: Make, world: World
) -> None:
    out = small_disk / "deep"
    with pytest.raises(OSError, match="No space left") as caught:
        run_stage(make_stage(**EVERY), "t", out, world)
    assert caught.value.errno == errno.ENOSPC and str(out) in caught.value.filename
    whole = kept_steps(out / "state")
    assert whole and whole[-1] < 5
    assert not [path for path in (out / "state").iterdir() if "partial" in path.name]
    found = newest(out / "state")
    assert found is not None and found[1].step == whole[-1]
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    run_stage(make_stage(**EVERY), "t", out, world)
    assert same(out, finished)


def test_a_quota_met_while_the_checkpoint_is_written(
    killed: Path, finished: Path, make_stage: Make, world: World
) -> None:
    """safetensors has words for it, not an error number; the limit is one on the size of files."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(OSError) as caught:
            run_stage(make_stage(**EVERY), "t", killed, world)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG and caught.value.filename
    assert not is_checkpoint(killed)
    run_stage(make_stage(**EVERY), "t", killed, world)
    assert same(killed, finished)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_from_whichever_step_a_run_goes_on_it_ends_with_the_same_bytes(
    tmp_path: Path, make_stage: Make, world: World
) -> None:
    """Rows packed full, in both epochs; a kill leaves notes of later steps too."""
    stage = make_stage(
        epochs=2, packing={"mode": "full"}, batch={"accumulation": 2},
        checkpoints={"every": 1, "keep": 99},
    )  # fmt: skip
    whole = tmp_path / "whole"
    run_stage(stage, "t", whole, world)
    steps = kept_steps(whole / "state")
    border = Plan.load(whole / "state/plan.npz").samples
    assert steps == list(range(1, len(steps) + 1)) and 40 in map(border, steps[:-1])
    for step in (0, *steps[:-1]):
        out = tmp_path / str(step)
        later = [f"step-{number:08}" for number in steps if number > step]
        shutil.copytree(whole / "state", out / "state", ignore=shutil.ignore_patterns(*later))
        shutil.copytree(whole / "log", out / "log")
        shutil.copy(whole / "settings.json", out)
        run_stage(stage, "t", out, world)
        last = f"state/{later[-1]}/slots-00000-000.safetensors"
        for name in ("model.safetensors", last):
            assert (out / name).read_bytes() == (whole / name).read_bytes(), f"from {step}: {name}"
        losses = [[note.loss for note in read_notes(path)[0]] for path in (out, whole)]
        assert losses[0] == losses[1] and len(losses[0]) == len(steps)
