"""The arithmetic of batches, and the order of the prompts, worked out before anything runs.

The paper's "rollout batch size 512" and "global batch size 128" count prompts (they are EasyR1's
words; its length limits are the paper's 4,096 too), with 16 answers each. The trainer counts
answers: 8,192 to a rollout and 2,048 to an update, so four updates to a rollout.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from lingshu_core.errors import SettingsError
from lingshu_rl.settings import Batch


@dataclass(frozen=True)
class Plan:
    """How a run divides its prompts into rollouts, updates and micro-batches."""

    ranks: int
    responses: int
    """Answers to a prompt."""
    rollout: int
    """Prompts of a rollout."""
    micro: int
    """Answers of one pass on one rank."""
    accumulation: int
    """Micro-batches to an update, on each rank."""
    micro_per_rollout: int
    """Micro-batches to one pass over a rollout, on each rank."""
    reuse: int
    """Passes over a rollout."""
    order: tuple[int, ...]
    """Rows of the prompts as they are asked, rollout after rollout."""
    left: int
    """Prompts that fill no rollout in any epoch."""

    @property
    def rollouts(self) -> int:
        """How many rollouts there are."""
        return len(self.order) // self.rollout

    @property
    def updates_per_rollout(self) -> int:
        """Optimizer steps to one rollout, all passes counted."""
        return self.micro_per_rollout * self.reuse // self.accumulation

    @property
    def updates(self) -> int:
        """Optimizer steps of the whole run."""
        return self.rollouts * self.updates_per_rollout

    def lines(self) -> list[str]:
        """Returns the arithmetic as people check it."""
        per_update = self.micro * self.ranks * self.accumulation
        return [
            f"rollout: {self.rollout} prompts x {self.responses} answers = "
            f"{self.rollout * self.responses} answers, {self.reuse} pass(es)",
            f"update: {self.micro} answers x {self.ranks} rank(s) x {self.accumulation} "
            f"accumulated = {per_update} answers = {per_update / self.responses:g} prompts",
            f"run: {self.rollouts} rollouts x {self.updates_per_rollout} updates = "
            f"{self.updates} updates; {self.left} prompts fill no rollout",
        ]


def make_plan(
    batch: Batch,
    pictured: Sequence[bool],
    *,
    ranks: int,
    seed: int,
    ease: Sequence[float] | None = None,
) -> Plan:
    """Works out a run.

    Every rollout is all pictures or all text: a micro-batch that mixes them fails in the trainer,
    and ranks that differ wait for each other for ever under ZeRO-3.

    Args:
        batch: What the recipe says.
        pictured: Of every prompt, whether it has pictures.
        ranks: Processes that train.
        seed: Decides the order.
        ease: Of every prompt, the share of right answers before training, where the order goes
            from easy to hard.

    Raises:
        SettingsError: The numbers do not divide, or no rollout can be filled.
    """
    per_rollout = batch.rollout * batch.responses
    per_update = batch.update * (batch.responses if batch.update_unit == "prompts" else 1)
    width = batch.micro * ranks
    _divides(batch.rollout, ranks, "batch.rollout", "ranks")
    _divides(per_rollout, width, "batch.rollout x responses", "batch.micro x ranks")
    _divides(per_update, width, "answers of an update", "batch.micro x ranks")
    _divides(per_rollout * batch.reuse, per_update, "answers of a rollout", "answers of an update")
    order, left = _order(batch, pictured, seed, ease)
    if not order:
        raise SettingsError(
            f"{len(pictured)} prompts do not fill one rollout of {batch.rollout} with pictures or "
            "without: make batch.rollout smaller, or give more prompts"
        )
    return Plan(
        ranks=ranks,
        responses=batch.responses,
        rollout=batch.rollout,
        micro=batch.micro,
        accumulation=per_update // width,
        micro_per_rollout=per_rollout // width,
        reuse=batch.reuse,
        order=tuple(order),
        left=left,
    )


def _order(
    batch: Batch, pictured: Sequence[bool], seed: int, ease: Sequence[float] | None
) -> tuple[list[int], int]:
    """Returns the rows as they are asked, and how many are never asked."""
    draw = random.Random(seed)
    limit = None if batch.rollouts is None else batch.rollouts * batch.rollout
    order: list[int] = []
    for _ in range(batch.epochs):
        blocks: list[list[int]] = []
        for kind in (True, False):
            rows = [row for row, has in enumerate(pictured) if has is kind]
            draw.shuffle(rows)
            if ease is not None:
                rows.sort(key=lambda row: -ease[row])
            whole = len(rows) // batch.rollout * batch.rollout
            blocks += [rows[i : i + batch.rollout] for i in range(0, whole, batch.rollout)]
        draw.shuffle(blocks)
        if ease is not None:
            blocks.sort(key=lambda block: -sum(ease[row] for row in block))
        order += [row for block in blocks for row in block]
    order = order[:limit]
    return order, len(pictured) - len(set(order))


def _divides(whole: int, part: int, what: str, by: str) -> None:
    if whole % part:
        raise SettingsError(
            f"{what} is {whole}, which {by} = {part} does not divide: change one of them"
        )
