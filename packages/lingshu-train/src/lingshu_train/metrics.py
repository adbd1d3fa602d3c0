"""What is noted of every step, shown on the console, and kept in `log/metrics.jsonl`."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lingshu_core.console import say
from lingshu_core.files import write_atomic
from lingshu_train.tracker import Tracker
from lingshu_train.world import World

LOG_NAME = "log/metrics.jsonl"
_EVERY = 10.0
_SHOWN = 6
"""Datasets whose loss the console tells; the log has all of them."""


@dataclass(frozen=True)
class StepNote:
    """One optimizer step, over all ranks."""

    step: int
    """From 1."""
    epoch: float
    """Share of an epoch that is done: 1.5 is the middle of the second."""
    loss: float
    norm: float
    """Of the gradient of all parts together, before clipping."""
    rates: dict[str, float]
    """Learning rate of each part that trains."""
    samples: int
    tokens: int
    supervised: int
    rows: int
    seconds: float
    waiting: float
    """Share of the time in which the slowest rank waited for data."""
    flops: float
    """Operations a second of all ranks together (`flops.py`)."""
    utilisation: float | None
    """Share of what the devices can do at most; None where that is unknown."""
    groups: dict[str, float] = field(default_factory=dict)
    """Mean loss of the samples of each kind (`kinds.GROUPS`)."""
    sources: dict[str, float] = field(default_factory=dict)
    """Mean loss of the samples of each dataset."""


@dataclass(frozen=True)
class HeldoutNote:
    """One look at the held-out samples."""

    step: int
    loss: float
    """Mean of the samples' own means."""
    sources: dict[str, float]
    """The same for each dataset."""
    exact: dict[str, float]
    """Share of the samples of each kind of task that greedy decoding answers word for word."""
    counts: dict[str, int]
    """Samples of each kind of task."""


class Means:
    """Means by name, added up on each rank and then over all."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._sums = np.zeros(len(names))
        self._counts = np.zeros(len(names))

    def add(self, places: NDArray[Any], values: Tensor) -> None:
        """Adds values, each under the name at its place."""
        shown = values.cpu().double().numpy()
        self._sums += np.bincount(places, shown, len(self._names))
        self._counts += np.bincount(places, minlength=len(self._names))

    def over(self, world: World) -> dict[str, tuple[float, int]]:
        """Returns mean and count of every name that came up on any rank."""
        return self.read(world.sums(self.numbers))

    @property
    def numbers(self) -> list[float]:
        """What is added up over the ranks."""
        return [*self._sums, *self._counts]

    def read(self, numbers: Sequence[float]) -> dict[str, tuple[float, int]]:
        """Returns mean and count of every name, from `numbers` added up over the ranks."""
        sums, counts = numbers[: len(self._names)], numbers[len(self._names) :]
        return {
            name: (total / count, int(count))
            for name, total, count in zip(self._names, sums, counts, strict=True)
            if count
        }


class Journal:
    """Keeps the notes of a run and shows them; only the first rank has one.

    Args:
        folder: The run's folder.
        done: Steps that are done: later lines are what a killed run had noted beyond its last
            checkpoint, and are taken out.
        steps: Steps of the whole run.
        trackers: What is told too.
    """

    def __init__(
        self, folder: Path, *, done: int, steps: int, trackers: list[Tracker] | None = None
    ) -> None:
        self._path = folder / LOG_NAME
        kept = [line for line in _lines(self._path) if line["step"] <= done]
        write_atomic(self._path, "".join(json.dumps(line) + "\n" for line in kept))
        self._file = self._path.open("a", encoding="utf-8")
        self._steps = steps
        self._trackers = trackers or []
        self._shown = 0.0
        self._started = time.monotonic()
        self._done = done

    def step(self, note: StepNote) -> None:
        """Takes a step's note."""
        self._write({"kind": "step", **asdict(note)})
        values = {"loss": note.loss, "norm": note.norm, "tokens per second": rate(note)}
        values |= {f"rate/{name}": value for name, value in note.rates.items()}
        values |= {f"loss/{name}": value for name, value in (note.groups | note.sources).items()}
        for tracker in self._trackers:
            tracker.note(note.step, values)
        now = time.monotonic()
        if now - self._shown >= _EVERY or note.step == self._steps:
            self._shown = now
            say(self._line(note, now))
            if len(note.sources) > 1:  # of one dataset, it is the loss
                say(f"  by dataset: {_dearest(note.sources)}")

    def heldout(self, note: HeldoutNote) -> None:
        """Takes a look at held-out samples."""
        self._write({"kind": "heldout", **asdict(note)})
        for tracker in self._trackers:
            tracker.note(note.step, {"heldout/loss": note.loss})
        exact = "  ".join(f"{name} {share:.3f}" for name, share in note.exact.items())
        say(
            f"step {note.step}/{self._steps}  held-out loss {note.loss:.4f}  word for word: {exact}"
        )

    def __enter__(self) -> Self:
        """Returns the journal, to be closed in the end, also where a run is stopped."""
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        for tracker in self._trackers:
            tracker.close()

    def _write(self, line: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from None

    def _line(self, note: StepNote, now: float) -> str:
        left = (now - self._started) / (note.step - self._done) * (self._steps - note.step)
        parts = [
            f"step {note.step}/{self._steps}",
            f"loss {note.loss:.4f}",
            *(f"{name} {value:.3f}" for name, value in note.groups.items()),
            f"{rate(note):,.0f} tokens/s",
            f"waiting {note.waiting:.0%}",
        ]
        if note.utilisation is not None:
            parts.append(f"MFU {note.utilisation:.0%}")
        parts.append(f"{duration(left)} left")
        return "  ".join(parts)


def read_notes(folder: Path) -> tuple[list[StepNote], list[HeldoutNote]]:
    """Returns what a run has noted; of looks after one step, the last."""
    steps, looks = [], {}
    for line in _lines(folder / LOG_NAME):
        kind = line.pop("kind")
        if kind == "step":
            steps.append(StepNote(**line))
        else:
            # A run that was killed while it finished looks once more.
            looks[line["step"]] = HeldoutNote(**line)
    return steps, list(looks.values())


def rate(note: StepNote) -> float:
    """Returns tokens a second."""
    return note.tokens / note.seconds if note.seconds else 0.0


def duration(seconds: float) -> str:
    """Returns a time for people: `2 h 05 min`, `40 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _dearest(losses: Mapping[str, float]) -> str:
    """Returns the greatest losses, and how many others there are."""
    falling = sorted(losses.items(), key=lambda item: (-item[1], item[0]))
    shown = "  ".join(f"{name} {loss:.3f}" for name, loss in falling[:_SHOWN])
    return f"{shown}  and {len(losses) - _SHOWN} below" if len(losses) > _SHOWN else shown


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break  # the run was killed while it wrote this one
    return found
