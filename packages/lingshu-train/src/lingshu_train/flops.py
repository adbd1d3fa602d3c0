"""What a sample costs in floating-point operations, from the model's configuration alone."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingshu_train.settings import Group


@dataclass(frozen=True)
class Counts:
    """Parameters of each part, as matrices that tokens are multiplied with."""

    patch: int
    """Of the vision encoder, which every patch meets."""
    projector: int
    """Of the merger, which every picture token meets."""
    token: int
    """Of the language model's layers, which every token meets."""
    head: int
    """Of `lm_head`, which every supervised token meets."""


@dataclass(frozen=True)
class Work:
    """Operations of one training step over a sample, forward and backward."""

    token: float
    pair: float
    """A pair of tokens in attention; a sample of `L` tokens has `L * L / 2`."""
    patch: float
    supervised: float

    def of(
        self,
        tokens: NDArray[np.int32],
        supervised: NDArray[np.int32],
        patches: NDArray[np.int32],
    ) -> NDArray[np.float64]:
        """Returns the operations of samples, by their tokens, supervised tokens and patches."""
        length = tokens.astype(np.float64)
        pairs = length * length / 2
        costs: NDArray[np.float64] = (
            self.token * length + self.pair * pairs
            + self.patch * patches + self.supervised * supervised
        )  # fmt: skip
        return costs


def counts(config: Any) -> Counts:
    """Returns the parameters by part, from a `Qwen2_5_VLConfig`."""
    text, vision = config.text_config, config.vision_config
    width = text.hidden_size // text.num_attention_heads
    attention = text.hidden_size * (2 * text.hidden_size + 2 * text.num_key_value_heads * width)
    layer = attention + 3 * text.hidden_size * text.intermediate_size
    block = 4 * vision.hidden_size**2 + 3 * vision.hidden_size * vision.intermediate_size
    stem = 3 * vision.temporal_patch_size * vision.patch_size**2 * vision.hidden_size
    merged = vision.hidden_size * vision.spatial_merge_size**2
    return Counts(
        patch=vision.depth * block + stem,
        projector=merged * merged + merged * vision.out_hidden_size,
        token=text.num_hidden_layers * layer,
        head=text.hidden_size * text.vocab_size,
    )


def work(config: Any, trained: Collection[Group]) -> Work:
    """Returns what a training step costs.

    A multiplication and an addition are two operations. Each weight is met once forward; once
    backward for the gradient of what comes before it, where something before it trains; and once
    for its own gradient, where it trains itself. Activations computed again are not counted, as
    is usual for model FLOPs utilisation.
    """
    found = counts(config)
    text, vision = config.text_config, config.vision_config
    seen = 1 + ("vision" in trained)
    joined = 1 + ("vision" in trained) + ("projector" in trained)
    through = 2 + ("language" in trained)
    # The vision encoder looks mostly through windows, and at whole pictures in few blocks.
    window = (vision.window_size // vision.patch_size) ** 2
    looks = vision.depth * 2 * vision.hidden_size * window
    return Work(
        token=2.0 * through * found.token,
        pair=2.0 * through * 2 * text.num_hidden_layers * text.hidden_size,
        patch=2.0 * (2 * seen - 1) * (found.patch + looks)
        + 2.0 * joined * found.projector / vision.spatial_merge_size**2,
        supervised=2.0 * through * found.head,
    )
