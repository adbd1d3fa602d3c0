"""Our side of `peers.py`: the loop of a stage, on the same samples."""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from _peer_run import BATCH, EPOCHS, LENGTH

from lingshu_train import pictures
from lingshu_train.loop import train
from lingshu_train.metrics import StepNote
from lingshu_train.runner import assemble, open_sources
from lingshu_train.settings import Stage
from lingshu_train.world import World

if TYPE_CHECKING:
    from _peer_run import Clock


class EnoughError(Exception):
    """All steps were taken."""


class Watch:
    """Stands where the loop has its journal; ends the run before it writes a checkpoint."""

    def __init__(self, clock: "Clock", steps: int) -> None:
        self.clock, self.steps = clock, steps

    def step(self, note: StepNote) -> None:
        """Takes a step's note."""
        self.clock.tokens += note.tokens
        self.clock.step()
        if note.step == self.steps:
            raise EnoughError


def train_ours(folder: Path, clock: "Clock", packing: str) -> None:
    """Trains with a mode of packing, and the same samples a step as the others unpacked."""
    stage = Stage.model_validate({
        "stage": "deep",
        "parent": str(folder / "base"),
        "mixture": str(folder / "mixture"),
        "dtype": "float32",
        "epochs": EPOCHS,
        "rates": {"vision": 1e-3, "projector": 1e-3, "language": 1e-3},
        "optimizer": {"warmup_steps": 2},
        "batch": {"accumulation": 1 if packing == "full" else BATCH},
        "sequence": {"max_length": LENGTH},
        "packing": {"mode": packing},
        "loss": {"norm": "document"},
        "engine": {"kind": "torch", "checkpointing": False},
        "data": {"workers": 0},
    })  # fmt: skip
    world = World(0, 1, 0, torch.device("cpu"))
    pictures._RECENT = 0  # the others decode a picture again in the second epoch: so does ours here
    with tempfile.TemporaryDirectory() as out:
        run = assemble(open_sources(stage, "bench", Path(out), world), world)
        assert run.journal
        with run.journal:
            run.journal = Watch(clock, len(run.plan))  # type: ignore[assignment]
            with suppress(EnoughError):
                train(run)
