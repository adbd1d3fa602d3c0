import shutil
from pathlib import Path

import pytest

from lingshu_core.checkpoint import read_checkpoint
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.panels import read_stats
from lingshu_core.recipe import find_recipe, load_recipe, shipped_recipes
from lingshu_core.records import Prediction
from lingshu_core.validation import validate
from lingshu_rl.logbook import Journal
from lingshu_rl.settings import TrainingRecipe
from lingshu_rl.training import train

SAME = ("model.safetensors", "log/steps.jsonl", "log/rollouts.jsonl", "index.html")


def test_run_leaves_a_checkpoint_and_every_answer(toys: Path, tmp_path: Path, recipe):
    out = tmp_path / "out"
    train(recipe("batch.rollouts=3"), out)
    described = read_checkpoint(out, verify=True)
    assert (described.stage, described.steps, described.samples) == ("rl", 6, 48)
    assert [Path(parent.path).name for parent in described.parents] == ["parent", "toy-32-0-0"]
    rollouts = Manifest(out / "rollouts")
    assert not validate(rollouts).faults
    answers = list(rollouts.of(Prediction))
    assert len(answers) == 48
    assert sorted({answer.step for answer in answers}) == [0, 2, 4]
    assert sorted({answer.replica for answer in answers}) == [0, 1, 2, 3]
    assert all(set(answer.rewards) == {"format", "accuracy"} for answer in answers)
    asked = {record.id for record in Manifest(toys / "toy-32-0-0")}
    assert {answer.item for answer in answers} <= asked
    lines = Journal(out / "log" / "rollouts.jsonl").read()
    mean = sum(a.rewards["accuracy"] + a.rewards["format"] / 2 for a in answers[:16]) / 16
    assert lines[0]["reward"] == pytest.approx(mean)
    steps = Journal(out / "log" / "steps.jsonl").read()
    assert [line["step"] for line in steps] == [1, 2, 3, 4, 5, 6]
    assert {"kl", "entropy", "clipped", "grad_norm", "loss"} <= set(steps[-1])
    stats = read_stats(out)
    assert stats.counts["answers"] == 48
    assert {"reward_first_quarter", "reward_last_quarter"} <= set(stats.figures)


def test_loads_as_plain_hugging_face(tmp_path: Path, recipe):
    from transformers import AutoModelForImageTextToText, AutoProcessor

    train(recipe("batch.rollouts=1"), tmp_path)
    _, info = AutoModelForImageTextToText.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    AutoProcessor.from_pretrained(tmp_path)


def test_resume_is_exact(tmp_path: Path, recipe):
    settings = recipe("batch.rollouts=4", "keep=9")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(settings, whole)
    shutil.copytree(whole, cut)
    (cut / "lingshu.json").unlink()
    (cut / "model.safetensors").unlink()
    for step in (6, 8):
        shutil.rmtree(cut / "state" / f"checkpoint-{step}")
    # What a kill in the middle of saving leaves: a folder without its mark, and half a line.
    (cut / "state" / "checkpoint-6").mkdir()
    with (cut / "log" / "steps.jsonl").open("a") as file:
        file.write('{"step": 9, "lo')
    train(settings, cut)
    for name in SAME:
        assert (whole / name).read_bytes() == (cut / name).read_bytes(), name
    assert Manifest(whole / "rollouts").digest() == Manifest(cut / "rollouts").digest()
    assert not (cut / "state" / "checkpoint-6" / "nothing").exists()


def test_again_is_free_and_others_are_refused(tmp_path: Path, recipe, capsys):
    train(recipe(), tmp_path)
    before = (tmp_path / "model.safetensors").stat().st_mtime_ns
    train(recipe(), tmp_path)
    assert "done already" in capsys.readouterr().err
    assert (tmp_path / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(SettingsError, match="other settings"):
        train(recipe("seed=1"), tmp_path)


def test_dry_run_says_the_plan_and_writes_nothing(tmp_path: Path, recipe, capsys):
    train(recipe(), tmp_path / "out", dry_run=True)
    assert "4 prompts x 4 answers = 16 answers" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_prompts_that_are_too_long_are_left_out(tmp_path: Path, recipe, capsys):
    with pytest.raises(SettingsError, match="do not fill one rollout"):
        train(recipe("lengths.total=40"), tmp_path / "out")
    assert "32 prompts exceed 20 tokens: left out" in capsys.readouterr().err


def test_questions_without_gold_are_refused(toys: Path, tmp_path: Path, recipe):
    plain = tmp_path / "plain.jsonl"
    source = Manifest(toys / "toy-32-0-0")
    with plain.open("w") as file:
        for record in source:
            file.write(
                record.replace(gold=None, images=()).model_dump_json(exclude_none=True) + "\n"
            )
    with pytest.raises(DataError, match="has no gold"):
        train(recipe(f"prompts={plain}"), tmp_path / "out")


def test_missing_words_are_named(tmp_path: Path):
    recipe = load_recipe(TrainingRecipe, find_recipe("lingshu_rl", "nano"))
    with pytest.raises(SettingsError, match="names no 'parent'"):
        train(recipe, tmp_path)


@pytest.mark.parametrize(
    "name", [n for n in shipped_recipes("lingshu_rl") if not n.startswith("curate")]
)
def test_shipped_recipes_load(name: str):
    assert load_recipe(TrainingRecipe, find_recipe("lingshu_rl", name)).rewards


def test_rewards_without_weight_are_refused():
    with pytest.raises(SettingsError, match="nothing would be learned"):
        load_recipe(TrainingRecipe, None, ["rewards.format.weight=0", "rewards.accuracy.weight=0"])
