"""One toy checkpoint for the whole session, and recipes small enough for it."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# Before anything imports torch: tests share two cores with others, and never reach a network.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("DS_ACCELERATOR", "cpu")
# `rl_toy` beside this file.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 32 toy questions (`toy-32-0-0`) and a checkpoint (`parent`)."""
    import rl_toy

    folder = tmp_path_factory.mktemp("toys")
    manifest = rl_toy.questions(folder, 32)
    rl_toy.checkpoint(folder / "parent", manifest, steps=90)
    return folder


@pytest.fixture
def recipe(toys: Path) -> Callable[..., object]:
    """Makes the nano recipe for the toy, still smaller, with some settings changed."""
    from lingshu_core.recipe import find_recipe, load_recipe
    from lingshu_rl.settings import TrainingRecipe

    def make(*overrides: str) -> TrainingRecipe:
        base = [
            f"prompts={toys / 'toy-32-0-0'}",
            f"parent={toys / 'parent'}",
            "batch.responses=4",
            "batch.rollout=4",
            "batch.update=2",
            "batch.micro=4",
            "batch.rollouts=2",
            "lengths.response=20",
            "save_every=1",
        ]
        return load_recipe(TrainingRecipe, find_recipe("lingshu_rl", "nano"), [*base, *overrides])

    return make
