"""The ranks of a run, and what they tell each other."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist

_PATIENCE = timedelta(hours=24)
"""How long ranks wait while the first one measures a mixture."""


@dataclass(frozen=True)
class World:
    """This process among the ranks."""

    rank: int
    size: int
    local: int
    """Place on this machine, which is the number of its device."""
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this rank writes what is written once."""
        return self.rank == 0

    def barrier(self) -> None:
        """Waits for all ranks."""
        if self.size > 1:
            dist.barrier(group=_talk())

    def sums(self, values: Sequence[float]) -> list[float]:
        """Returns the sums of some numbers over all ranks, the same on each."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, group=_talk())
        found: list[float] = tensor.tolist()
        return found

    def gather(self, value: object) -> list[object]:
        """Returns what every rank has, in the order of ranks, on every rank."""
        if self.size == 1:
            return [value]
        found: list[object] = [None] * self.size
        dist.all_gather_object(found, value, group=_talk())
        return found


def join() -> World:
    """Returns this process's place among the ranks that `torchrun` started, or a world of one."""
    rank, size, local = (int(os.environ.get(name, default)) for name, default in
                         (("RANK", "0"), ("WORLD_SIZE", "1"), ("LOCAL_RANK", "0")))  # fmt: skip
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    if size > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo", timeout=_PATIENCE)
    return World(rank, size, local, device)


def leave() -> None:
    """Ends the talk between ranks."""
    if dist.is_initialized():
        dist.destroy_process_group()
    _groups.clear()


_groups: list[dist.ProcessGroup] = []


def _talk() -> dist.ProcessGroup:
    """Returns a group that carries numbers of the host, so that no device has to wait."""
    if not _groups:
        _groups.append(dist.new_group(backend="gloo", timeout=_PATIENCE))
    return _groups[0]
