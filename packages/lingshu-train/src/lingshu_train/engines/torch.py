"""Plain PyTorch: every rank holds everything, and gradients are added up before the step.

With bfloat16 the optimizer works on float32 copies of the parameters. Gradients are added up in
float32, each as soon as the backward pass has it, so that never all of them are there twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from lingshu_train.collate import Row
from lingshu_train.engine import EngineKind, Slot
from lingshu_train.groups import optimizer_groups
from lingshu_train.model import Supervised, dtype_of, judging, load_model
from lingshu_train.settings import Group, Stage
from lingshu_train.world import World

_BUCKET = 2**24
"""Numbers in a message between ranks: 64 MiB."""


class TorchEngine:
    """One rank's whole copy of the model."""

    def __init__(self, supervised: Supervised, stage: Stage, world: World) -> None:
        self.supervised = supervised
        self._world = world
        self._clip = stage.optimizer.clip
        groups = optimizer_groups(supervised.model, stage.rates.trained(), stage.optimizer)
        self._masters = {
            parameter: _master(parameter) for group in groups for parameter in group["params"]
        }
        for group in groups:
            group["params"] = [self._masters[parameter] for parameter in group["params"]]
        self._optimizer = torch.optim.AdamW(
            groups, betas=stage.optimizer.betas, eps=stage.optimizer.eps, fused=True
        )
        self._names = {
            name: parameter
            for name, parameter in supervised.model.named_parameters()
            if parameter in self._masters
        }
        for parameter, master in self._masters.items():
            if master is not parameter:
                parameter.register_post_accumulate_grad_hook(partial(_hand_over, master))

    def losses(self, row: Row) -> Tensor:
        """Returns the loss of each supervised token."""
        found: Tensor = self.supervised(row)[0]
        return found

    def judged(self, row: Row) -> tuple[Tensor, Tensor]:
        """Returns losses and which tokens were right."""
        with judging(self.supervised):
            losses, right = self.supervised(row)
        return losses, right

    def backward(self, loss: Tensor, *, last: bool) -> None:
        """Adds a row's gradient to those of the step."""
        loss.backward()  # type: ignore[no-untyped-call]

    def step(self, rates: Mapping[Group, float]) -> float:
        """Updates the parameters and returns the norm of the gradient."""
        masters = list(self._masters.values())
        for master in masters:
            if master.grad is None:
                # As with shared-out gradients: no gradient is one of zero, and moments fade.
                master.grad = torch.zeros_like(master)
        if self._world.size > 1:
            _sum_over_ranks([master.grad for master in masters if master.grad is not None])
        most = float("inf") if self._clip is None else self._clip
        norm = nn.utils.clip_grad_norm_(masters, most)
        for group in self._optimizer.param_groups:
            group["lr"] = rates[group["name"]]
        if torch.isfinite(norm):
            self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=any(p is not m for p, m in self._masters.items()))
        self._publish()
        return float(norm)

    def read(self) -> Iterator[tuple[str, Slot]]:
        """Yields every trained parameter's value and moments."""
        for name, parameter in self._names.items():
            master = self._masters[parameter]
            state = self._optimizer.state[master]
            empty = torch.zeros_like(master)
            yield name, (
                master.detach(), state.get("exp_avg", empty), state.get("exp_avg_sq", empty)
            )  # fmt: skip

    def write(self, slots: Callable[[str], Slot], steps: int) -> None:
        """Sets every trained parameter's value and moments."""
        for name, parameter in self._names.items():
            master = self._masters[parameter]
            value, first, second = slots(name)
            master.data.copy_(value)
            self._optimizer.state[master] = {
                "step": torch.tensor(float(steps), device=master.device),
                "exp_avg": first.to(master.device).clone(),
                "exp_avg_sq": second.to(master.device).clone(),
            }
        self._publish()

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """Yields every parameter as the model computes with it."""
        for name, parameter in self.supervised.model.named_parameters():
            yield name, parameter.detach()

    def _publish(self) -> None:
        for parameter, master in self._masters.items():
            if master is not parameter:
                parameter.data.copy_(master.data)


def _master(parameter: nn.Parameter) -> nn.Parameter:
    if parameter.dtype == torch.float32:
        return parameter
    return nn.Parameter(parameter.detach().float())


def _sum_over_ranks(gradients: Sequence[Tensor]) -> None:
    """Adds up gradients over all ranks in place, many to a message: small ones cost as much."""
    for some in _buckets(gradients):
        flat = torch.cat([gradient.flatten() for gradient in some])
        dist.all_reduce(flat)
        parts = torch.split(flat, [gradient.numel() for gradient in some])
        for gradient, part in zip(some, parts, strict=True):
            gradient.copy_(part.view_as(gradient))


def _buckets(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    some: list[Tensor] = []
    for gradient in gradients:
        if some and sum(map(Tensor.numel, some)) + gradient.numel() > _BUCKET:
            yield some
            some = []
        some.append(gradient)
    if some:
        yield some


def _hand_over(master: nn.Parameter, parameter: Tensor) -> None:
    """Adds a row's gradient of a parameter to that of its float32 copy."""
    assert parameter.grad is not None
    if master.grad is None:
        master.grad = parameter.grad.float()
    else:
        master.grad.add_(parameter.grad)
    parameter.grad = None


def load(folder: Path, stage: Stage, world: World) -> Any:
    """Loads a checkpoint onto this rank's device."""
    return load_model(folder, dtype=dtype_of(stage), device=world.device)


ENGINE = EngineKind(load=load, build=TorchEngine)
