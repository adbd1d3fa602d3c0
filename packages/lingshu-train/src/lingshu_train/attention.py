"""Attention in which the samples of a row do not see each other, and what would let them.

`varlen` is ours: on a GPU PyTorch's own variable-length kernel, elsewhere one call for all
samples of like length. `sdpa` and `eager` of transformers build a dense mask of the row;
`flash_attention_2` and `_3` need their package.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lingshu_core.errors import SettingsError
from lingshu_train.settings import Attention

NAME = "varlen"
_HALF = (torch.bfloat16, torch.float16)
_CALL = 1 << 14
"""Pairs of tokens that cost about as much as another call of the kernel."""


def resolve(wanted: Attention, device: str) -> str:
    """Returns the name of the implementation to use.

    Raises:
        SettingsError: It needs a package or a device that is not there.
    """
    if wanted == "auto":
        return NAME
    if wanted.startswith("flash_attention"):
        from transformers.utils import import_utils

        available = getattr(import_utils, f"is_flash_attn_{wanted[-1]}_available")
        if device != "cuda" or not available():
            raise SettingsError(
                f"attention {wanted!r} needs a CUDA device and its package: take 'varlen'"
            )
    return wanted


def install(model: Any, name: str) -> None:
    """Makes a loaded model use an implementation, `varlen` in its vision encoder too."""
    from transformers import AttentionInterface

    if name == NAME:
        AttentionInterface.register(NAME, _language)
        for block in model.model.visual.blocks:
            # transformers calls the kernel once a window; here all windows go into one call.
            block.attn.__class__ = _vision_class(block.attn.__class__)
    model.set_attn_implementation(name)


@dataclass(frozen=True)
class Runs:
    """Consecutive runs of tokens that do not see each other."""

    bounds: Tensor
    """`(runs + 1,)` int32, where each run starts, and the end."""
    longest: int | None
    """Tokens of the longest run, or more; None has it looked up."""

    def lengths(self) -> Tensor:
        """Returns the tokens of each run."""
        return self.bounds[1:] - self.bounds[:-1]


def varlen(
    query: Tensor, key: Tensor, value: Tensor, runs: Runs, *, causal: bool, scale: float
) -> Tensor:
    """Returns attention within runs of tokens.

    Args:
        query: `(tokens, heads, size)`
        key: `(tokens, key heads, size)`
        value: Like `key`.
        runs: They add up to `tokens`.
        causal: Whether a token sees only itself and those before it.
        scale: Of the products.

    Returns:
        `(tokens, heads, size)`
    """
    grouped = query.shape[1] != key.shape[1]
    if query.is_cuda and query.dtype in _HALF:
        from torch.nn.attention.varlen import varlen_attn

        most = runs.longest or int(runs.lengths().max())
        window = (-1, 0) if causal else (-1, -1)
        found = varlen_attn(
            query, key, value, runs.bounds, runs.bounds, most, most,
            scale=scale, window_size=window, enable_gqa=grouped,
        )  # fmt: skip
        assert isinstance(found, Tensor)
        return found
    buckets, back = _buckets(tuple(runs.lengths().tolist()), causal, query.device)
    outputs = []
    for index, count, size in buckets:
        shown = (
            part if index is None else part.index_select(0, index) for part in (query, key, value)
        )
        q, k, v = (part.view(count, size, *part.shape[1:]).transpose(1, 2) for part in shown)
        out = F.scaled_dot_product_attention(
            q, k, v, is_causal=causal, scale=scale, enable_gqa=grouped
        )
        outputs.append(out.transpose(1, 2).reshape(count * size, *query.shape[1:]))
    whole = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
    return whole if back is None else whole.index_select(0, back)


_Bucket = tuple[Tensor | None, int, int]
"""Tokens to gather (None: all, in order), number of runs, length they are padded to."""


@lru_cache(maxsize=256)
def _buckets(
    lengths: tuple[int, ...], causal: bool, device: torch.device
) -> tuple[list[_Bucket], Tensor | None]:
    """Puts runs of like length together, and says where each token's output then stands.

    Padding repeats the last token behind a run: in causal attention no token of the run sees it.
    Runs that look both ways are put together only when they are of one length.
    """
    if len(set(lengths)) == 1:
        return [(None, len(lengths), lengths[0])], None
    starts = [0]
    for length in lengths:
        starts.append(starts[-1] + length)
    buckets: list[_Bucket] = []
    back = torch.empty(starts[-1], dtype=torch.long)
    filled = 0
    order = sorted(range(len(lengths)), key=lambda run: -lengths[run])
    while order:
        size = lengths[order[0]]
        together = [run for run in order if _worth(size, lengths[run], causal)]
        order = order[len(together) :]
        index = torch.empty(len(together), size, dtype=torch.long)
        for row, run in enumerate(together):
            start, length = starts[run], lengths[run]
            index[row] = start + torch.arange(size).clamp(max=length - 1)
            back[start : start + length] = filled + row * size + torch.arange(length)
        filled += index.numel()
        buckets.append((index.flatten().to(device), len(together), size))
    return buckets, back.to(device)


def _worth(size: int, length: int, causal: bool) -> bool:
    if not causal:
        return size == length
    return size * size - length * length <= max(length * length // 4, _CALL)


def _language(
    module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **given: Any
) -> tuple[Tensor, None]:
    """The language model's attention, as transformers calls it: `(1, heads, tokens, size)`."""
    bounds = given.get("cu_seq_lens_q")
    if bounds is None or mask is not None or query.shape[0] != 1:
        raise InputError("varlen attention needs cu_seq_lens_q, no mask, and one row at a time")
    q, k, v = (part[0].transpose(0, 1) for part in (query, key, value))
    runs = Runs(bounds, given.get("max_length_q"))
    return varlen(q, k, v, runs, causal=True, scale=given["scaling"])[None], None


def _vision(
    self: Any,
    hidden_states: Tensor,
    cu_seqlens: Tensor,
    position_embeddings: tuple[Tensor, Tensor],
    max_seqlen: int | None = None,
    **_: Any,
) -> Tensor:
    from transformers.models.qwen2_5_vl import modeling_qwen2_5_vl as upstream

    parts = self.qkv(hidden_states).view(len(hidden_states), 3, self.num_heads, -1)
    query, key, value = parts.unbind(1)
    query, key = upstream.apply_rotary_pos_emb_vision(query, key, *position_embeddings)
    runs = Runs(cu_seqlens, max_seqlen)
    out = varlen(query, key, value, runs, causal=False, scale=self.scaling)
    projected: Tensor = self.proj(out.reshape(len(hidden_states), -1))
    return projected


@lru_cache
def _vision_class(base: Hashable) -> Any:
    assert isinstance(base, type)
    return type(f"Varlen{base.__name__}", (base,), {"forward": _vision})


class InputError(AssertionError):
    """The model was about to be called in a way in which samples leak into each other."""
