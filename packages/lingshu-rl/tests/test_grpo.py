"""The paper's recipe as TRL understands it: every number of section 3.2 reaches `GRPOConfig`."""

from importlib.resources import files
from pathlib import Path

import pytest

from lingshu_core.recipe import load_recipe
from lingshu_rl.grpo import grpo_config
from lingshu_rl.plan import make_plan
from lingshu_rl.settings import TrainingRecipe

# What of the recipe this machine cannot have; none of it is a number of the paper's.
HERE = (
    "hardware.device=cpu", "hardware.precision=float32", "hardware.deepspeed=none",
    "engine.name=transformers",
)  # fmt: skip


@pytest.fixture
def config(tmp_path):
    def make(name, *overrides):
        path = Path(str(files("lingshu_rl").joinpath("recipes", f"{name}.toml")))
        recipe = load_recipe(TrainingRecipe, path, [*HERE, *overrides])
        plan = make_plan(recipe.batch, [True] * 100_000, ranks=1, seed=0)
        return grpo_config(recipe, plan, tmp_path, [0.5, 1.0], [])

    return make


def test_the_papers_numbers_reach_trl(config):
    found = config("lingshu-rl-7b")
    assert found.num_generations == 16 and found.temperature == 1.0
    # A rollout of 512 prompts with 16 answers each, spent in 4 updates of 128 prompts.
    assert found.generation_batch_size == 512 * 16
    taken = found.per_device_train_batch_size * found.gradient_accumulation_steps
    assert taken == 128 * 16 and found.steps_per_generation == 4 * found.gradient_accumulation_steps
    assert found.max_steps == 780 and found.num_iterations == 1
    assert found.learning_rate == 1e-6 and found.beta == 1e-3
    assert found.optim.startswith("adamw") and found.reward_weights == [0.5, 1.0]


def test_defaults_of_trl_that_are_not_the_papers(config):
    found = config("lingshu-rl-7b")
    assert found.lr_scheduler_type == "constant_with_warmup"
    assert found.loss_type == "grpo" and found.scale_rewards == "group"
    assert not found.shuffle_dataset and not found.use_bias_correction_kl
    assert (found.epsilon, found.epsilon_high) == (0.2, 0.2)
    assert (found.top_p, found.top_k, found.repetition_penalty) == (1.0, 0, 1.0)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("grpo", ("grpo", "group", "token")),
        ("dr_grpo", ("dr_grpo", "none", "token")),
        ("dapo", ("dapo", "group", "token")),
        ("gspo", ("grpo", "group", "sequence")),
    ],
)
def test_losses_by_setting(config, loss, expected):
    found = config("lingshu-rl-7b", f"objective.loss={loss}")
    assert (found.loss_type, found.scale_rewards, found.importance_sampling_level) == expected
