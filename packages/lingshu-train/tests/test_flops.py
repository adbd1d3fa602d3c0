"""What a sample costs is what PyTorch counts while the model learns from it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from lingshu_core.manifest import Manifest
from lingshu_train import flops
from lingshu_train.groups import freeze
from lingshu_train.initial import init_checkpoint
from lingshu_train.loader import Rows
from lingshu_train.model import load_model, prepare
from lingshu_train.runner import collator, load_processor, open_mixture
from lingshu_train.settings import Shape, Stage
from lingshu_train.world import World

SHAPE = Shape.model_validate({
    "name": "flops", "tokens": 700, "min_pixels": 3136, "max_pixels": 12544,
    "vision": {
        "depth": 12, "hidden": 96, "intermediate": 256, "heads": 2, "window": 56,
        "full_attention": [11],
    },
    "language": {"layers": 4, "hidden": 128, "intermediate": 256, "heads": 4, "kv_heads": 2},
})  # fmt: skip


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory, mixture: Path) -> Path:
    out = tmp_path_factory.mktemp("model") / "flops"
    init_checkpoint(SHAPE, "flops", mixture, out)
    return out


@pytest.mark.parametrize(
    "parts", [("vision", "projector", "language"), ("vision", "projector"), ("projector",)]
)
@pytest.mark.parametrize("numbers", [(0, 1, 2, 3), (4, 9)])
def test_work_is_what_is_counted(
    parent: Path,
    make_stage: Callable[..., Stage],
    mixture: Path,
    world: World,
    parts: tuple[str, ...],
    numbers: tuple[int, ...],
) -> None:
    """With pictures and without; attention is left out, which PyTorch does not count here."""
    stage = make_stage(rates=dict.fromkeys(parts, 1e-3))
    opened = open_mixture(Manifest(mixture), load_processor(parent), stage, world)
    model = load_model(parent, dtype=torch.float32, device=world.device)
    freeze(model, stage.rates.trained())
    supervised = prepare(model, implementation="varlen", checkpointing=False)
    row = Rows(opened, collator(opened.codec, model.config))[numbers]
    with FlopCounterMode(display=False) as counter:
        supervised(row)[0].sum().backward()
    # The row's own numbers: without a picture it takes a dummy along, which nobody counts.
    tokens, learned, patches = (
        np.array([count], dtype=np.int32)
        for count in (row.tokens, len(row.targets), len(row.pixel_values))
    )
    work = replace(flops.work(model.config, stage.rates.trained()), pair=0.0)
    said = work.of(tokens, learned, patches).sum()
    assert said == pytest.approx(counter.get_total_flops(), rel=0.1)
