"""The ranks of a run, and what they tell each other."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
    talk: dist.ProcessGroup | None = None

    @property
    def first(self) -> bool:
        """Whether this rank writes what is written once."""
        return self.rank == 0

    def barrier(self) -> None:
        """Waits for all ranks."""
        if self.size > 1:
            dist.barrier(group=self.talk)

    def sums(self, values: Sequence[float]) -> list[float]:
        """Returns the sums of some numbers over all ranks, the same on each."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, group=self.talk)
        found: list[float] = tensor.tolist()
        return found

    def gather(self, value: object) -> list[object]:
        """Returns what every rank has, in the order of ranks, on every rank."""
        if self.size == 1:
            return [value]
        found: list[object] = [None] * self.size
        dist.all_gather_object(found, value, group=self.talk)
        return found


@contextmanager
def joined() -> Iterator[World]:
    """Gives this process's place among the ranks that were started, or a world of one."""
    rank, size, local = (int(os.environ.get(name) or default) for name, default in
                         (("RANK", "0"), ("WORLD_SIZE", "1"), ("LOCAL_RANK", "0")))  # fmt: skip
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    talk = None
    if size > 1:
        dist.init_process_group("nccl" if cuda else "gloo", timeout=_PATIENCE)
        # Carries numbers of the host, so that no device has to wait for them.
        talk = dist.new_group(backend="gloo", timeout=_PATIENCE)
    try:
        yield World(rank, size, local, device, talk)
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
