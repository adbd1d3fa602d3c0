"""Models and processors as `transformers` loads them, of which only names are known here."""

from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.utils import logging

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


def quiet() -> None:
    """Keeps progress bars and advice of `transformers` off the terminal."""
    chatter: Any = logging
    chatter.disable_progress_bar()
    chatter.set_verbosity_error()
