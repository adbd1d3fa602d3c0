"""What the engines keep in memory, added up part by part. Pure.

On a GPU, a rank's parts lie on its device; on a processor everything lies in the host's memory,
what is offloaded too.
"""

from dataclasses import dataclass
from typing import Any

from lingshu_train.loss import CHUNK
from lingshu_train.settings import Stage


@dataclass(frozen=True)
class Sizes:
    """Numbers of parameters."""

    whole: int
    trained: int
    layer: int
    """Of the greatest module whose parameters ZeRO-3 fetches together."""
    tensor: int
    """Of the greatest parameter that trains."""


@dataclass(frozen=True)
class Load:
    """The greatest row of a step."""

    tokens: int
    supervised: int
    patches: int


@dataclass(frozen=True)
class Memory:
    """Bytes of one rank, by what they are for."""

    device: dict[str, float]
    host: dict[str, float]
    """Offloaded."""

    @property
    def total(self) -> float:
        """On the device."""
        return sum(self.device.values())


def memory(stage: Stage, sizes: Sizes, load: Load, config: Any, *, ranks: int) -> Memory:
    """Returns what a rank holds at most while it trains."""
    states = _torch(stage, sizes) if stage.engine.kind == "torch" else _zero(stage, sizes, ranks)
    device, host = states
    return Memory({**device, **_activations(stage, load, config)}, host)


def _width(stage: Stage) -> int:
    return 4 if stage.dtype == "float32" else 2


def _torch(stage: Stage, sizes: Sizes) -> tuple[dict[str, float], dict[str, float]]:
    copies = 0 if stage.dtype == "float32" else 4 * sizes.trained
    return {
        "parameters": float(_width(stage) * sizes.whole),
        "gradients": 4.0 * sizes.trained,
        "optimizer": 8.0 * sizes.trained + copies,
    }, {}


def _zero(stage: Stage, sizes: Sizes, ranks: int) -> tuple[dict[str, float], dict[str, float]]:
    width, level, offload = _width(stage), stage.engine.zero, stage.engine.offload
    share = sizes.trained / ranks
    device = {"parameters": float(width * sizes.whole)}
    # Gradients of bfloat16 are added up in float32.
    device["gradients"] = 4.0 * (sizes.trained if level == 1 else share)
    if level == 2:
        # They come whole from a row; what is added to the share is copied to float32 before.
        device["gradients of a row"] = width * sizes.trained + (0.0 if width == 4 else 4 * share)
    optimizer = {"optimizer": 12.0 * share}
    if level == 3:
        device["parameters"] = width * sizes.whole / ranks
        device["parameters in use"] = 2.0 * width * sizes.layer
        # Of the module at hand; they are copied to float32 before they are shared out.
        device["gradients of a row"] = (width if width == 4 else width + 4.0) * sizes.layer
    host: dict[str, float] = {}
    if offload == "none":
        device |= optimizer
    elif level == 3:
        # As rows add them up, and as the optimizer takes them.
        host = {**optimizer, "gradients": 2 * device.pop("gradients")}
    else:
        host = {**optimizer, "gradients": device.pop("gradients")}
        host["parameters on their way back"] = width * share
        if stage.batch.size(ranks) > ranks:
            host["gradients of earlier rows"] = width * share
        # DeepSpeed takes the norm of what comes parameter by parameter, in float64.
        device["norm of a gradient"] = 8.0 * min(sizes.tensor, share)
    if offload == "parameters":
        host["parameters"] = device.pop("parameters")
    return device, host


def _activations(stage: Stage, load: Load, config: Any) -> dict[str, float]:
    """Returns what the forward pass of the greatest row leaves for the backward pass."""
    text, vision, width = config.text_config, config.vision_config, _width(stage)
    parts = {
        "activations": (
            load.tokens, text.num_hidden_layers, text.hidden_size, text.intermediate_size,
        ),
        "activations of pictures": (
            load.patches, vision.depth, vision.hidden_size, vision.intermediate_size,
        ),
    }  # fmt: skip
    found = {}
    for name, (length, layers, hidden, intermediate) in parts.items():
        # Norms, queries, keys, values, rotations and sums; gates and products.
        inside = length * (18 * hidden + 5 * intermediate) * width
        kept = length * hidden * width
        again = stage.engine.checkpointing
        if again is True or (again == "vision" and name == "activations of pictures"):
            found[name] = float(layers * kept + inside)
        else:
            found[name] = float(layers * inside)
    words = min(load.supervised, CHUNK) * text.vocab_size
    # Logits, in float32 too, and the gradients of both.
    found["logits"] = words * (4.0 * 2 + width * 2)
    return found
