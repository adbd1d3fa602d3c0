"""Whether a step waits for data, at the rate at which one GPU would ask for it.

Bar (issue 7, section 5): at 16 documents a second with 4 workers a step never waits. The loop of a
stage takes its rows from the real loader: pictures of 448 px are decoded, texts encoded and rows
put together in the workers. In the engine's place stands a device that takes its time and needs no
processor, as a GPU does: eight documents, half a second. A step counts as waiting where more than
1 % of its time is spent before its rows are there; handing a ready row over takes about a
thousandth. The first steps do not count, in which the workers start. Measured too: how many
documents a second come when the device takes no time at all.

    python packages/lingshu-train/bench/feeding.py
"""

import json
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from _gpu_work import EnoughError, Scale, Work, open_work, write_mixture, write_processor
from torch import Tensor

from lingshu_train import flops
from lingshu_train.collate import Row
from lingshu_train.loop import Run, train
from lingshu_train.metrics import StepNote
from lingshu_train.runner import plan_of
from lingshu_train.settings import Group, Stage
from lingshu_train.state import Progress

RESULTS = Path(__file__).parent / "results" / "feeding.json"
RATE, WORKERS, BATCH, WARM, STEPS, BAR = 16, 4, 8, 4, 40, 0.01
SCALE = Scale("shapes/qwen2.5-vl-3b", 8192, BATCH * (WARM + STEPS + 8), 448, 0.5, STEPS, "float32")


class Device:
    """Takes as long for a row as a device that trains on `rate` documents a second."""

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def losses(self, row: Row) -> Tensor:
        """Returns a loss for every supervised token, after its time."""
        time.sleep(len(row.samples) / self._rate)
        return torch.ones(len(row.targets))

    def backward(self, loss: Tensor, *, last: bool) -> None:
        """Does nothing."""

    def step(self, rates: Mapping[Group, float]) -> float:
        """Returns a norm."""
        return 1.0


class Notes:
    """Stands where the loop has its journal, and ends the run after some steps."""

    def __init__(self) -> None:
        self.steps: list[StepNote] = []

    def step(self, note: StepNote) -> None:
        """Takes a step's note."""
        self.steps.append(note)
        if note.step == WARM + STEPS:
            raise EnoughError


def stage_of(work: Work) -> Stage:
    """Returns the stage: eight documents a step, packed into one row."""
    changes = {
        "batch": {"accumulation": BATCH},
        "packing": {"mode": "step"},
        "loss": {"norm": "document"},
        "data": {"workers": WORKERS},
        "checkpoints": {"every": None},
    }
    return Stage.model_validate({**work.stage.model_dump(mode="json"), **changes})


def fed(folder: Path, rate: float) -> list[StepNote]:
    """Runs the loop beside a device; returns what it noted of the steps that count."""
    work = open_work(folder, SCALE, workers=WORKERS)
    stage, notes = stage_of(work), Notes()
    plan = plan_of(work.mixture, stage, stage.batch.size(1))
    with tempfile.TemporaryDirectory() as out:
        run = Run(
            stage=stage, world=work.world, out=Path(out), mixture=work.mixture, rows=work.rows,
            plan=plan, engine=Device(rate),  # type: ignore[arg-type]
            work=flops.work(work.config, stage.rates.trained()), peak=None, heldout=None,
            journal=notes,  # type: ignore[arg-type]
            progress=Progress(plan=plan.digest()),
        )  # fmt: skip
        with suppress(EnoughError):
            train(run)
    return notes.steps[WARM:]


def main() -> int:
    """Prints the figures, writes them, and says whether the bar is met."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_mixture(folder, SCALE)
        write_processor(folder, SCALE)
        steps, free = fed(folder, RATE), fed(folder, float("inf"))
    waits = [note.waiting * note.seconds for note in steps]
    found = {
        "workers": WORKERS,
        "steps": len(steps),
        "documents_a_step": BATCH,
        "tokens_a_document": round(sum(n.tokens for n in steps) / sum(n.samples for n in steps)),
        "documents_per_s_of_the_device": RATE,
        "documents_per_s": round(sum(n.samples for n in steps) / sum(n.seconds for n in steps), 2),
        "longest_wait_ms": round(1000 * max(waits), 1),
        "steps_that_waited": sum(note.waiting > BAR for note in steps),
        "waiting": round(sum(waits) / sum(note.seconds for note in steps), 4),
        "documents_per_s_where_the_device_takes_no_time": round(
            sum(n.samples for n in free) / sum(n.seconds for n in free)
        ),
    }
    found["met"] = found["steps_that_waited"] == 0
    print(json.dumps(found, indent=2))
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if found["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
