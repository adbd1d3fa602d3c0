"""Recipes: the paper's values, and settings that do not fit together."""

import re
import subprocess
import sys

import pytest

from lingshu_core.errors import SettingsError
from lingshu_core.recipe import find_recipe, load_recipe, shipped_recipes
from lingshu_train.settings import Shape, Stage

STAGES = [name for name in shipped_recipes("lingshu_train") if "/model" not in name]
MODELS = {"lingshu-7b": "Qwen2.5-VL-7B-Instruct", "lingshu-32b": "Qwen2.5-VL-32B-Instruct"}
PAPER = [name for name in STAGES if name.startswith("lingshu-")]


def load(name: str, *overrides: str) -> Stage:
    return load_recipe(Stage, find_recipe("lingshu_train", name), overrides)


@pytest.mark.parametrize("name", [name for name in STAGES if not name.startswith("shapes/")])
def test_every_shipped_recipe_loads(name: str) -> None:
    assert load(name).stage == name.rpartition("/")[2]


@pytest.mark.parametrize(
    "name",
    [n for n in shipped_recipes("lingshu_train") if n.startswith("shapes/")] + ["nano/model"],
)
def test_every_shipped_shape_loads(name: str) -> None:
    load_recipe(Shape, find_recipe("lingshu_train", name))


def test_the_paper_has_its_six_recipes() -> None:
    sizes = ("lingshu-7b", "lingshu-32b")
    assert {f"{s}/{stage}" for s in sizes for stage in ("shallow", "deep", "instruction")} == set(
        PAPER
    )


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_settings(name: str) -> None:
    """Section 3.2: rates, epochs, warm-up, length, batch, where packing is used."""
    stage = load(name)
    kind = stage.stage
    shallow = {"vision": 2e-6, "projector": 1e-5}
    assert stage.rates.trained() == (shallow if kind == "shallow" else shallow | {"language": 1e-5})
    assert stage.optimizer.warmup_steps == 100
    assert stage.sequence.max_length == 8192
    assert (stage.batch.per_device, stage.batch.accumulation) == (1, 8)
    assert stage.epochs == {"shallow": 1, "deep": 1, "instruction": 2}[kind]
    assert stage.packing.mode == ("full" if kind == "instruction" else "none")
    assert stage.loss.why and stage.loss.spike
    assert stage.engine.kind == "deepspeed"


@pytest.mark.parametrize("name", PAPER)
def test_a_recipe_names_its_mixture_its_parent_and_nothing_of_another_package(name: str) -> None:
    """Folders that other commands leave, and a shape that this package ships."""
    stage, size = load(name), name.partition("/")[0]
    before = {"deep": "shallow", "instruction": "deep"}.get(stage.stage)
    assert stage.parent == (f"runs/{size}/{before}" if before else f"Qwen/{MODELS[size]}")
    assert stage.mixture == f"data/mix-{stage.stage}"
    assert stage.shape in shipped_recipes("lingshu_train")
    text = find_recipe("lingshu_train", name).read_text(encoding="utf-8")
    assert not re.search("lingshu[-_](core|data|synth|rl)|medevalkit", text)


@pytest.mark.parametrize("name", [name for name in PAPER if "instruction" not in name])
def test_the_alignment_stages_may_pack_the_samples_of_a_step(name: str) -> None:
    """There the paper could not pack; how a step is made up stays as it is."""
    packed, plain = load(name, "packing.mode=step"), load(name)
    assert packed.packing.mode == "step" and packed.batch == plain.batch
    assert packed.loss == plain.loss


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("rates.visoin=1e-3", "did you mean 'vision'"),
        ("packing.mode=step", "token_row"),
        ("loss.norm=words", "loss.norm"),
        ("batch.accumulation=0", "batch.accumulation"),
        ("lora.rank=0", "lora.rank"),
        ("data.share=0", "data.share"),
    ],
)
def test_settings_that_are_wrong_say_so(override: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load("lingshu-7b/instruction", override)


def test_a_stage_in_which_nothing_trains_is_refused() -> None:
    with pytest.raises(SettingsError, match="every part is frozen"):
        load_recipe(Stage, None, ["stage=deep", "parent=a", "mixture=b", "rates={}"])


def test_lora_needs_a_rate_of_the_language_model() -> None:
    with pytest.raises(SettingsError, match=r"rates\.language"):
        load("lingshu-7b/shallow", "lora.rank=4")


def test_what_may_change_when_a_run_goes_on() -> None:
    first = load("nano/deep")
    same = load("nano/deep", "engine.kind=deepspeed", "checkpoints.every=3", "data.workers=2")
    assert first.deciding() == same.deciding()
    assert first.deciding() != load("nano/deep", "rates.vision=1e-9").deciding()
    assert first.deciding() != load("nano/deep", "seed=4").deciding()


def test_neither_settings_nor_command_line_load_torch() -> None:
    code = "import sys, lingshu_train.cli, lingshu_train.settings; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert not {"torch", "transformers", "deepspeed", "numpy", "PIL"} & loaded
