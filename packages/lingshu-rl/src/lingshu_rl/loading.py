"""Models and processors as `transformers` loads them, of which only names are known here."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.utils import logging

from lingshu_core.builds import free_builds
from lingshu_core.errors import SettingsError

_transformers: Any = transformers


def load_model(checkpoint: Path | str, precision: str) -> Any:
    """Returns the model of a checkpoint in `bfloat16` or `float32`."""
    return _transformers.AutoModelForImageTextToText.from_pretrained(
        checkpoint, dtype=getattr(torch, precision)
    )


def load_processor(checkpoint: Path | str, max_pixels: int | None = None) -> Any:
    """Returns the processor of a checkpoint, padding on the left.

    Args:
        checkpoint: The folder.
        max_pixels: Larger pictures are made smaller; None: as the checkpoint says.
    """
    processor = _transformers.AutoProcessor.from_pretrained(checkpoint, padding_side="left")
    if max_pixels is not None:
        processor.image_processor.size["longest_edge"] = max_pixels
    return processor


def freeze(model: Any, parts: Sequence[str]) -> None:
    """Leaves parts of a Qwen2.5-VL as they are: `vision`, `projector` (the merger), `llm`."""
    for name, parameter in model.named_parameters():
        if _part(name) in parts:
            parameter.requires_grad_(False)


def _part(name: str) -> str:
    if "visual.merger" in name:
        return "projector"
    return "vision" if "visual." in name else "llm"


def join_ranks(*, cpu: bool) -> None:
    """Tells DeepSpeed of the other ranks; ZeRO-3 parts a model while it is loaded.

    Raises:
        SettingsError: The process was not started by torchrun.
    """
    if "WORLD_SIZE" not in os.environ:
        raise SettingsError(
            "hardware.deepspeed needs ranks: start with torchrun --nproc_per_node N -m lingshu_rl"
        )
    import deepspeed
    from torch.utils.cpp_extension import get_default_build_root

    free_builds(Path(os.environ.get("TORCH_EXTENSIONS_DIR") or get_default_build_root()))
    deepspeed.init_distributed(dist_backend="gloo" if cpu else "nccl", verbose=False)


def quiet() -> None:
    """Keeps progress bars and advice of `transformers` off the terminal."""
    chatter: Any = logging
    chatter.disable_progress_bar()
    chatter.set_verbosity_error()
    # DeepSpeed calls what torch has renamed, thousands of times.
    warnings.filterwarnings("ignore", r"`torch\.distributed\..* is deprecated", FutureWarning)
