"""The loss of a step: weights that add up to 1 over the global batch, and logits where needed.

The weight of a token follows from four sums over all rows of all ranks, so that the update is the
same however the step is dealt out.
"""

from dataclasses import astuple, dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lingshu_train.collate import Row
from lingshu_train.settings import Norm

CHUNK = 2048
"""Supervised tokens whose logits exist at one time; with 152,000 words they take 1.9 GB."""


@dataclass(frozen=True)
class Totals:
    """What a step holds, over all its rows."""

    samples: float = 0.0
    rows: float = 0.0
    tokens: float = 0.0
    roots: float = 0.0
    """Sum of the square roots of the samples' supervised tokens."""

    @classmethod
    def of(cls, row: Row) -> Self:
        """Returns the totals of one row; an empty row has none."""
        if not row.counts:
            return cls()
        roots = sum(count**0.5 for count in row.counts)
        return cls(float(len(row.counts)), 1.0, float(sum(row.counts)), roots)

    def __add__(self, other: "Totals") -> "Totals":
        """Returns the totals of both together."""
        return Totals(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def token_weights(row: Row, totals: Totals, norm: Norm) -> Tensor:
    """Returns what each supervised token of a row counts, `(S,)` float32.

    Over all rows of the step the weights add up to 1:

    - `document`: each sample counts 1/samples, shared by its tokens. One sample a device with
      accumulation is that, and so is the default of the Hugging Face Trainer for this model.
    - `token_row`: each row counts 1/rows, shared by its tokens. What a Trainer computes on packed
      rows.
    - `token_global`: each token counts 1/tokens.
    - `sqrt`: each sample counts by the square root of its tokens (InternVL 2.5 weighs so).
    """
    count = torch.tensor(row.counts, dtype=torch.float64, device=row.owner.device)
    if norm == "document":
        each = 1 / (count * totals.samples)
    elif norm == "token_row":
        each = torch.full_like(count, 1 / (count.sum().item() * totals.rows) if row.counts else 0)
    elif norm == "token_global":
        each = torch.full_like(count, 1 / totals.tokens)
    else:
        each = count**-0.5 / totals.roots
    return each[row.owner].float()


def supervised_losses(hidden: Tensor, head: nn.Module, targets: Tensor) -> Tensor:
    """Returns the cross entropy of each supervised token, `(S,)` float32.

    Args:
        hidden: `(S, width)`: the last hidden states before the tokens that are learned.
        head: The `lm_head`.
        targets: `(S,)`
    """
    if len(targets) <= CHUNK:
        return _losses(hidden, head, targets)
    parts = [
        checkpoint(_losses, states, head, words, use_reentrant=False)
        for states, words in zip(
            torch.split(hidden, CHUNK), torch.split(targets, CHUNK), strict=True
        )
    ]
    return torch.cat(parts)


def _losses(hidden: Tensor, head: nn.Module, targets: Tensor) -> Tensor:
    return F.cross_entropy(head(hidden).float(), targets, reduction="none")


def greedy_right(hidden: Tensor, head: nn.Module, targets: Tensor) -> Tensor:
    """Returns which supervised tokens are the likeliest ones, `(S,)`.

    Where all of a sample's are, greedy decoding writes its gold word for word.
    """
    pairs = zip(torch.split(hidden, CHUNK), torch.split(targets, CHUNK), strict=True)
    return torch.cat([head(states).argmax(-1) == words for states, words in pairs])


def sample_means(values: Tensor, row: Row) -> Tensor:
    """Returns the mean over each sample's supervised tokens, `(D,)`."""
    sums = torch.zeros(len(row.counts), device=values.device)
    sums.index_add_(0, row.owner, values.float())
    return sums / torch.tensor(row.counts, dtype=torch.float32, device=values.device)
