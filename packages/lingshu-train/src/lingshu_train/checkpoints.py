"""Checkpoints as they are written: weights, configuration, processor, description."""

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lingshu_core.checkpoint import DESCRIPTION_NAME
from lingshu_core.manifest import Producer
from lingshu_train.lora import merged
from lingshu_train.model import empty_model
from lingshu_train.settings import Lora, Stage
from lingshu_train.state import disk_faults


def write_checkpoint(
    folder: Path, parent: Path, processor: Any, weights: Mapping[str, Tensor], dtype: torch.dtype
) -> None:
    """Writes what transformers and vLLM load.

    Args:
        folder: Where to.
        parent: The checkpoint whose configuration is kept.
        processor: Tokenizer and picture processor.
        weights: By the names that the model has for them.
        dtype: Stands in the configuration.

    Raises:
        OSError: The disk is full.
    """
    from transformers import GenerationConfig

    # A model without memory knows how the family's files are named and divided.
    with torch.device("meta"):
        model = empty_model(parent, dtype)
    model.config.use_cache = True
    if (parent / "generation_config.json").is_file():
        model.generation_config = GenerationConfig.from_pretrained(parent)
    with disk_faults(folder):
        model.save_pretrained(folder, state_dict=dict(weights))
        processor.save_pretrained(folder)


def on_host(weights: Iterable[tuple[str, Tensor]], lora: Lora | None) -> dict[str, Tensor]:
    """Returns weights in the host's memory, adapters merged."""
    found = {name: tensor.to("cpu", copy=True) for name, tensor in weights}
    return merged(found, lora) if lora else found


def move_into_place(side: Path, out: Path) -> None:
    """Moves a finished checkpoint's files into a folder, the description last."""
    names = sorted(path.name for path in side.iterdir() if path.name != DESCRIPTION_NAME)
    for name in [*names, DESCRIPTION_NAME]:
        (side / name).replace(out / name)
    side.rmdir()


def producer(stage: Stage, command: str) -> Producer:
    """Returns who made a checkpoint, with which settings."""
    return Producer(
        package="lingshu-train",
        version=version("lingshu-train"),
        command=command,
        settings=stage.digest(),
    )


def versions() -> dict[str, str]:
    """Returns the versions of what decides the numbers."""
    found = {}
    for name in ("lingshu-train", "lingshu-core", "torch", "transformers", "deepspeed", "peft"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
