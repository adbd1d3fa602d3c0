"""DAPO's dynamic sampling: groups that teach nothing give way to groups that do.

A rollout comes out of TRL as one padded batch; here rows of another one are put in its place.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from trl.trainer.utils import split_pixel_values_by_grid, unsplit_pixel_values_by_grid

_LEFT = ("prompt_ids", "prompt_mask")
_RIGHT = (
    "completion_ids",
    "completion_mask",
    "old_per_token_logps",
    "ref_per_token_logps",
    "sampling_per_token_logps",
    "importance_sampling_ratio",
)
_BOTH = ("token_type_ids", "mm_token_type_ids")


def even_groups(rewards: Sequence[float | None], size: int) -> list[int]:
    """Returns the groups of `size` answers whose rewards are all equal, or untold."""
    found = []
    for start in range(0, len(rewards), size):
        told = [reward for reward in rewards[start : start + size] if reward is not None]
        if not told or max(told) - min(told) < 1e-9:
            found.append(start // size)
    return found


def spare_rows(candidates: Sequence[int], taken: set[int], count: int, seed: str) -> list[int]:
    """Returns `count` rows for another attempt, which follow from the seed alone.

    Rows of the rollout are taken last, so that a small set of prompts is enough.
    """
    draw = random.Random(seed)
    fresh = [row for row in candidates if row not in taken]
    draw.shuffle(fresh)
    while len(fresh) < count:
        fresh += draw.sample(list(candidates), len(candidates))
    return fresh[:count]


def replace_groups(
    base: Mapping[str, Any],
    other: Mapping[str, Any],
    pairs: Sequence[tuple[int, int]],
    *,
    size: int,
    padding: int,
) -> dict[str, Any]:
    """Returns a batch with some of its groups replaced by groups of another.

    Args:
        base: A generation batch of TRL: ids (B, P) padded left, answers (B, C) padded right.
        other: Another one.
        pairs: Group of `base` that goes, group of `other` that comes.
        size: Answers to a group.
        padding: Token that fills.
    """
    first, second = split_pixel_values_by_grid(dict(base)), split_pixel_values_by_grid(dict(other))
    picks = {goes * size + i: comes * size + i for goes, comes in pairs for i in range(size)}
    merged: dict[str, Any] = {}
    for key, value in first.items():
        if isinstance(value, torch.Tensor) and value.ndim == 0:
            merged[key] = value
        elif isinstance(value, list):
            merged[key] = [second[key][picks[i]] if i in picks else v for i, v in enumerate(value)]
        else:
            mine, theirs = _alike(key, first, second, padding)
            merged[key] = mine.clone()
            merged[key][list(picks)] = theirs[list(picks.values())]
    return dict(unsplit_pixel_values_by_grid(merged))


def _alike(
    key: str, first: Mapping[str, Any], second: Mapping[str, Any], padding: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns a tensor of both batches, padded to the same width."""
    mine, theirs = first[key], second[key]
    if mine.ndim < 2 or (key not in (*_LEFT, *_RIGHT, *_BOTH)):
        return mine, theirs
    fill = padding if key.endswith("_ids") and "type" not in key else 0
    if key in _LEFT:
        width = max(mine.size(1), theirs.size(1))
        return _pad(mine, width, left=True, fill=fill), _pad(theirs, width, left=True, fill=fill)
    if key in _RIGHT:
        width = max(mine.size(1), theirs.size(1))
        return _pad(mine, width, left=False, fill=fill), _pad(theirs, width, left=False, fill=fill)
    left = max(first["prompt_ids"].size(1), second["prompt_ids"].size(1))
    right = max(first["completion_ids"].size(1), second["completion_ids"].size(1))
    return tuple(  # type: ignore[return-value]
        _pad(
            _pad(part[key], left + part["completion_ids"].size(1), left=True, fill=0),
            left + right,
            left=False,
            fill=0,
        )
        for part in (first, second)
    )


def _pad(tensor: torch.Tensor, width: int, *, left: bool, fill: float) -> torch.Tensor:
    missing = width - tensor.size(1)
    sides = (missing, 0) if left else (0, missing)
    return torch.nn.functional.pad(tensor, sides, value=fill)
