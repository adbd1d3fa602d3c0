"""The model as it is trained: transformers' Qwen2.5-VL, called on packed rows."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingshu_core.errors import DataError, SettingsError
from lingshu_train import attention
from lingshu_train.attention import InputError
from lingshu_train.collate import Row
from lingshu_train.loss import greedy_right, supervised_losses
from lingshu_train.settings import Stage

FAMILY = "qwen2_5_vl"


class Supervised(nn.Module):
    """Gives the loss of every supervised token of a row.

    It exists so that the whole computation happens inside the engine's forward: DeepSpeed fetches
    shared-out parameters there and nowhere else.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, row: Row) -> tuple[Tensor, Tensor | None]:
        """Returns the losses `(S,)` of a row, and out of training which tokens were right."""
        inputs = row_inputs(row)
        check_inputs(inputs)
        states = self.model.model(**inputs).last_hidden_state[0, row.keep]
        losses = supervised_losses(states, self.model.lm_head, row.targets)
        if self.training:
            return losses, None
        return losses, greedy_right(states, self.model.lm_head, row.targets)


def row_inputs(row: Row) -> dict[str, Any]:
    """Returns a row as the arguments of transformers' `Qwen2_5_VLModel`."""
    return {
        "input_ids": row.input_ids,
        "position_ids": row.position_ids,
        "pixel_values": row.pixel_values,
        "image_grid_thw": row.grids,
        "use_cache": False,
        "cu_seq_lens_q": row.bounds,
        "cu_seq_lens_k": row.bounds,
        "max_length_q": row.longest,
        "max_length_k": row.longest,
        **row.vision,
    }


def check_inputs(inputs: dict[str, Any]) -> None:
    """Refuses the ways of calling transformers' model in which samples of a row leak silently.

    Raises:
        InputError: A mask is given, the cache is not switched off, or the positions are not four
            rows of which the first tells the samples apart. That the first row is right is
            checked where rows are put together (`collate.check_positions`).
    """
    if inputs.get("attention_mask") is not None:
        raise InputError("an attention mask hides the borders of samples: leave it out")
    if inputs.get("use_cache") is not False:
        raise InputError("the cache hides the borders of samples: use_cache has to be False")
    positions = inputs.get("position_ids")
    if positions is None or positions.ndim != 3 or positions.shape[0] != 4:
        shape = None if positions is None else tuple(positions.shape)
        raise InputError(f"position_ids have to be (4, 1, tokens), not {shape}")
    if positions.shape[1] != 1:
        raise InputError("one row at a time")


def dtype_of(stage: Stage) -> torch.dtype:
    """Returns what the model computes in."""
    found: torch.dtype = getattr(torch, stage.dtype)
    return found


def load_model(folder: Path, *, dtype: torch.dtype, device: torch.device) -> Any:
    """Loads a checkpoint as `Qwen2_5_VLForConditionalGeneration`.

    Raises:
        SettingsError: It is of another family.
        DataError: It cannot be loaded, or weights are missing.
    """
    from transformers import Qwen2_5_VLForConditionalGeneration

    load: Any = Qwen2_5_VLForConditionalGeneration.from_pretrained
    read_config(folder)
    try:
        model, report = load(folder, dtype=dtype, output_loading_info=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"the checkpoint cannot be loaded ({error})", path=folder) from None
    if report["missing_keys"]:
        raise DataError(f"lacks the weights {sorted(report['missing_keys'])[:3]}", path=folder)
    model.config.use_cache = False
    return model.to(device)


def empty_model(folder: Path, dtype: torch.dtype) -> Any:
    """Returns a model of a checkpoint's shape, its weights still to come."""
    from transformers import Qwen2_5_VLForConditionalGeneration
    from transformers.initialization import no_init_weights

    build: Any = Qwen2_5_VLForConditionalGeneration._from_config
    with no_init_weights():
        model = build(read_config(folder), dtype=dtype)
    model.tie_weights()
    model.config.use_cache = False
    return model


def read_config(folder: Path) -> Any:
    """Returns a checkpoint's configuration; SettingsError where it is of another family."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise DataError(f"the checkpoint cannot be loaded ({error})", path=folder) from None
    if config.model_type != FAMILY:
        raise SettingsError(f"{folder}: a {config.model_type} is not of the family {FAMILY}")
    return config


def prepare(
    model: Any, *, implementation: str, checkpointing: bool | Literal["vision"]
) -> Supervised:
    """Readies a loaded model for training."""
    attention.install(model, implementation)
    for module in model.modules():
        if module.__class__.__name__ == "Qwen2_5_VLRMSNorm":
            module.__class__ = _faster(module.__class__, _norm)
    patches = model.model.visual.patch_embed.proj
    patches.__class__ = _faster(patches.__class__, _embed)
    if checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    if checkpointing == "vision":
        for layer in model.model.language_model.layers:
            layer.gradient_checkpointing = False
    model.train()
    return Supervised(model)


def _norm(self: Any, hidden_states: Tensor) -> Tensor:
    """One kernel in place of seven."""
    return F.rms_norm(hidden_states, self.weight.shape, self.weight, self.variance_epsilon)


def _embed(self: Any, patches: Tensor) -> Tensor:
    """A convolution whose steps are as wide as its kernel is one product of matrices."""
    return F.linear(patches.flatten(1), self.weight.flatten(1))


@lru_cache
def _faster(base: Hashable, forward: Callable[..., Tensor]) -> Any:
    """Returns a class of transformers' model that computes the same in less time.

    The module stays what it is and is called as before: its parameters keep their names, and
    DeepSpeed fetches them where they are shared out.
    """
    assert isinstance(base, type)
    return type(f"Fused{base.__name__}", (base,), {"forward": forward})


@contextmanager
def judging(module: nn.Module) -> Iterator[None]:
    """Takes a model out of training for a look at it."""
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train()


@contextmanager
def generating(model: Any) -> Iterator[Any]:
    """Lends a model for answering: with cache and padding, which packed attention has not."""
    name = model.config._attn_implementation
    model.eval()
    model.set_attn_implementation("sdpa")
    model.config.use_cache = True
    try:
        with torch.no_grad():
            yield model
    finally:
        model.config.use_cache = False
        model.set_attn_implementation(name)
        model.train()
