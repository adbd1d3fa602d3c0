"""The training loop: rows in, one update a step, what happened noted down."""

import json
import math
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingshu_core.errors import DataError, Stopped
from lingshu_core.files import write_atomic
from lingshu_train import state
from lingshu_train.collate import Failed, Row
from lingshu_train.dealing import Row as Numbers
from lingshu_train.dealing import deal
from lingshu_train.engine import Engine
from lingshu_train.flops import Work
from lingshu_train.heldout import Heldout
from lingshu_train.kinds import GROUPS, group_of
from lingshu_train.loader import Mixture, Rows, load_rows
from lingshu_train.loss import Totals, sample_means, token_weights
from lingshu_train.metrics import Journal, Means, StepNote
from lingshu_train.plan import Plan
from lingshu_train.schedule import rates
from lingshu_train.settings import Stage
from lingshu_train.world import World

_RECENT = 50


@dataclass
class Run:
    """Everything that the loop works with."""

    stage: Stage
    world: World
    out: Path
    mixture: Mixture
    rows: Rows
    plan: Plan
    engine: Engine
    work: Work
    peak: float | None
    """Operations a second that one device can do at most."""
    heldout: Heldout | None
    journal: Journal | None
    """Of the first rank only."""
    progress: state.Progress
    failed: list[Failed] = field(default_factory=list)

    @property
    def costs(self) -> NDArray[np.float64]:
        """Operations of every sample of the mixture."""
        lengths = self.mixture.lengths
        return self.work.of(lengths.tokens, lengths.supervised, lengths.patches)


def train(run: Run) -> None:
    """Takes the steps that are left.

    Raises:
        Stopped: A signal asked for it; a checkpoint was kept.
        DataError: The loss is no number or far off, or too many samples cannot be read.
    """
    hands = Hands(run)
    stream = load_rows(
        run.rows, hands, workers=run.stage.data.workers, ahead=run.stage.data.ahead,
        pinned=run.world.device.type == "cuda",
    )  # fmt: skip
    every = run.stage.checkpoints.every
    with Signals() as signals:
        for step in range(run.progress.step, len(run.plan)):
            fetched = _fetch(stream, len(hands.of(step)))
            stopping = _take_step(run, step, fetched, asked=signals.asked)
            last = step + 1 == len(run.plan)
            if run.heldout and run.heldout.due(step + 1) and not last:
                _look(run, run.heldout)
            if last or stopping or (every and (step + 1) % every == 0):
                _keep(run)
            if stopping and not last:
                raise Stopped(f"stopped after step {step + 1}; the same command goes on from here")
    if run.heldout:
        _look(run, run.heldout)


class Hands:
    """The rows that this rank takes, step after step, worked out when their turn comes."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._costs = run.costs
        self._deal = lru_cache(maxsize=64)(self._deal_step)

    def __iter__(self) -> Iterator[Numbers]:
        """Yields the rows of all steps that are left."""
        for step in range(self._run.progress.step, len(self._run.plan)):
            yield from self.of(step)

    def of(self, step: int) -> list[Numbers]:
        """Returns this rank's rows of a step."""
        return self._deal(step)

    def _deal_step(self, step: int) -> list[Numbers]:
        run = self._run
        return deal(
            run.plan.step(step),
            mode=run.plan.mode,
            lengths=run.mixture.lengths.tokens,
            costs=self._costs,
            capacity=run.stage.sequence.max_length,
            ranks=run.world.size,
        )[run.world.rank]


class Signals:
    """Takes SIGTERM and SIGINT as a wish to stop after the step that is being taken."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Signals":
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _ask(self, number: int, _: FrameType | None) -> None:
        if self.asked:
            # Asked twice: whoever asks does not want to wait for the step.
            signal.signal(number, self._before[number])
        self.asked = True


@dataclass(frozen=True)
class _Fetched:
    """A rank's rows of a step, as far as the loader gave them."""

    rows: list[Row]
    missing: int
    waited: float
    """Seconds."""


def _fetch(stream: Iterator[Row], count: int) -> _Fetched:
    started = time.monotonic()
    rows = list(islice(stream, count))
    return _Fetched(rows, count - len(rows), time.monotonic() - started)


def _take_step(run: Run, step: int, fetched: _Fetched, *, asked: bool) -> bool:
    """Takes one optimizer step; returns whether any rank was asked to stop."""
    started = time.monotonic()
    rows, waited = fetched.rows, fetched.waited
    said = _all_say(run, fetched, asked)
    totals = said.totals
    if said.missing:
        _stop_at(run, step, f"the loader ended with {said.missing} rows of the step missing")
    run.progress.failed += said.failed
    _check_failed(run, step)
    tally = _Tally(run)
    for number, row in enumerate(rows, 1):
        here = row.to(run.world.device)
        losses = run.engine.losses(here)
        weights = token_weights(here, totals, run.stage.loss.norm)
        loss = (losses * weights).sum()
        run.engine.backward(loss, last=number == len(rows))
        tally.add(here, loss.detach(), losses.detach())
    figures = tally.over_all_ranks(waited)
    _check_loss(run, step, figures.loss)
    rate = rates(run.stage.rates.trained(), step, len(run.plan), run.stage.optimizer.warmup_steps)
    norm = run.engine.step(rate)
    if not math.isfinite(norm):
        _stop_at(run, step, "the gradient is no number")
    seconds = time.monotonic() - started + waited
    run.progress.step = step + 1
    run.progress.samples += int(totals.samples)
    run.progress.tokens += figures.tokens
    run.progress.seconds += seconds
    run.progress.recent = [*run.progress.recent, figures.loss][-_RECENT:]
    if run.journal:
        run.journal.step(figures.note(run, step, norm, rate, seconds))
    return said.stopping


@dataclass(frozen=True)
class _Said:
    """What the ranks tell each other before a step."""

    totals: Totals
    failed: int
    missing: int
    stopping: bool


def _all_say(run: Run, fetched: _Fetched, asked: bool) -> _Said:
    mine = sum((Totals.of(row) for row in fetched.rows), Totals())
    failed = [fault for row in fetched.rows for fault in row.failed]
    run.failed += failed
    samples, count, tokens, roots, lost, missing, wish = run.world.sums([
        mine.samples, mine.rows, mine.tokens, mine.roots,
        len(failed), fetched.missing, float(asked),
    ])  # fmt: skip
    totals = Totals(samples, count, tokens, roots)
    return _Said(totals, int(lost), int(missing), stopping=wish > 0)


@dataclass(frozen=True)
class _Figures:
    loss: float
    samples: int
    tokens: int
    supervised: int
    rows: int
    waited: float
    operations: float
    groups: dict[str, float]
    sources: dict[str, float]

    def note(
        self, run: Run, step: int, norm: float, rate: dict[Any, float], seconds: float
    ) -> StepNote:
        flops = self.operations / seconds
        steps = len(run.plan) / run.stage.epochs
        return StepNote(
            step=step + 1,
            epoch=round((step + 1) / steps, 4),
            loss=self.loss,
            norm=norm,
            rates={str(name): value for name, value in rate.items()},
            samples=self.samples,
            tokens=self.tokens,
            supervised=self.supervised,
            rows=self.rows,
            seconds=round(seconds, 4),
            waiting=round(self.waited / run.world.size / seconds, 4),
            flops=flops,
            utilisation=run.peak and flops / (run.peak * run.world.size),
            groups=self.groups,
            sources=self.sources,
        )


class _Tally:
    """Adds up what a step's rows hold, first on this rank, then over all."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rows: list[Row] = []
        self._loss: list[Tensor] = []
        self._means: list[Tensor] = []

    def add(self, row: Row, loss: Tensor, losses: Tensor) -> None:
        self._rows.append(row)
        self._loss.append(loss)
        self._means.append(sample_means(losses, row))

    def over_all_ranks(self, waited: float) -> _Figures:
        world, lengths = self._run.world, self._run.mixture.lengths
        samples = np.array([n for row in self._rows for n in row.samples], dtype=np.int64)
        groups, sources = Means(GROUPS), Means(lengths.sources)
        means = torch.cat(self._means)
        groups.add(group_of(lengths.traits[samples]), means)
        sources.add(lengths.source[samples], means)
        operations = self._run.work.of(
            lengths.tokens[samples], lengths.supervised[samples], lengths.patches[samples]
        )
        mine = [
            float(torch.stack(self._loss).sum()),
            len(samples),
            sum(row.tokens for row in self._rows),
            sum(len(row.targets) for row in self._rows),
            sum(bool(row.counts) for row in self._rows),
            waited,
            operations.sum(),
        ]
        # In one message: what each costs hardly depends on how short it is.
        said = world.sums([*mine, *groups.numbers, *sources.numbers])
        loss, count, tokens, supervised, rows, waits, work = said[: len(mine)]
        rest = said[len(mine) :]
        by_group, by_source = rest[: len(groups.numbers)], rest[len(groups.numbers) :]
        return _Figures(
            loss, int(count), int(tokens), int(supervised), int(rows), waits, work,
            groups={name: mean for name, (mean, _) in groups.read(by_group).items()},
            sources={name: mean for name, (mean, _) in sources.read(by_source).items()},
        )  # fmt: skip


def _check_loss(run: Run, step: int, loss: float) -> None:
    if not math.isfinite(loss):
        _stop_at(run, step, f"the loss is {loss}")
    recent, most = run.progress.recent, run.stage.loss.spike
    if most and len(recent) >= _RECENT and loss > most * sum(recent) / len(recent):
        _stop_at(run, step, f"the loss is {loss:.4f}, {most:g} times the mean of {_RECENT} steps")


def _check_failed(run: Run, step: int) -> None:
    seen = run.plan.samples(step + 1)
    most = run.stage.data.most_set_aside
    if run.progress.failed > max(1, most * seen):
        _stop_at(run, step, f"{run.progress.failed} of {seen} samples could not be read")


def _stop_at(run: Run, step: int, why: str) -> None:
    """Stops for good, with the names of the samples of the step."""
    numbers = np.concatenate(run.plan.step(step)).tolist()
    ids = run.mixture.ids(numbers)
    if run.world.first:
        text = json.dumps({"step": step + 1, "why": why, "records": ids}, indent=2) + "\n"
        write_atomic(run.out / "log" / "stopped.json", text)
    shown = ", ".join(ids[:32]) + (", …" if len(ids) > 32 else "")
    raise DataError(f"step {step + 1}: {why}; its records (all in log/stopped.json): {shown}")


def _look(run: Run, heldout: Heldout) -> None:
    note = heldout.look(run.engine, run.progress.step)
    if run.journal:
        run.journal.heldout(note)


def _keep(run: Run) -> None:
    state.save(
        run.out / "state", run.progress, run.engine, run.world, keep=run.stage.checkpoints.keep
    )
