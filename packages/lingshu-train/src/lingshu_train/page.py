"""The page of a run: curves, rates, packing, held-out answers, samples set aside."""

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from lingshu_core.panels import Facts, Gallery, Lines, Panel, Picture, Prose, Series, Stats, Table
from lingshu_train.heldout import Generation, read_generations
from lingshu_train.metrics import HeldoutNote, StepNote, duration, read_notes

if TYPE_CHECKING:
    from lingshu_train.loop import Run

_POINTS = 400
"""Curves are thinned to this many points, each the mean of what it stands for."""


def run_stats(run: "Run", recipe: str) -> Stats:
    """Returns what a finished run shows."""
    steps, looks = read_notes(run.out)
    progress = run.progress
    lengths = run.mixture.lengths
    return Stats(
        title=f"{run.stage.stage.capitalize()}: {recipe}",
        summary=_summary(run, steps),
        package="lingshu-train",
        version=version("lingshu-train"),
        command=f"run {recipe}",
        seconds=round(progress.seconds, 2),
        counts={
            "steps": progress.step,
            "samples": progress.samples,
            "tokens": progress.tokens,
            "set aside": len(lengths.set_aside),
            "failed": progress.failed,
        },
        figures={
            "loss": steps[-1].loss,
            "samples per second": progress.samples / max(progress.seconds, 1e-9),
            "tokens per second": progress.tokens / max(progress.seconds, 1e-9),
            **({"heldout loss": looks[-1].loss} if looks else {}),
        },
        panels=tuple(_panels(run, steps, looks)),
    )


def _summary(run: "Run", steps: Sequence[StepNote]) -> str:
    *others, last = run.stage.rates.trained()
    trained = f"{', '.join(others)} and {last}" if others else last
    return (
        f"{run.progress.samples:,} samples in {len(run.plan):,} steps; trained: {trained}. "
        f"The loss went from {steps[0].loss:.3f} to {steps[-1].loss:.3f}."
    )


def _panels(run: "Run", steps: Sequence[StepNote], looks: Sequence[HeldoutNote]) -> list[Panel]:
    panels: list[Panel] = [_figures(run, steps), _losses(steps, looks), _rates(steps)]
    for what, title in (("groups", "Loss by kind of sample"), ("sources", "Loss by dataset")):
        shown = _by(steps, what, title)
        if len(shown.series) > 1:  # of one kind, it is the loss
            panels.append(shown)
    panels += [_speed(steps), _norms(steps), _rows(run, steps), _parts(run)]
    generations = read_generations(run.out)
    if generations:
        panels += _answers(generations)
    panels.append(_set_aside(run))
    return panels


def _figures(run: "Run", steps: Sequence[StepNote]) -> Facts:
    progress = run.progress
    waiting = sum(note.waiting * note.seconds for note in steps) / sum(n.seconds for n in steps)
    used = [note.utilisation for note in steps if note.utilisation is not None]
    return Facts(
        title="In short",
        wide=True,
        facts={
            "steps": progress.step,
            "samples": progress.samples,
            "tokens": progress.tokens,
            "time in the loop": duration(progress.seconds),
            "tokens a second": round(progress.tokens / max(progress.seconds, 1e-9)),
            "waiting for data": f"{waiting:.1%}",
            "model FLOPs utilisation": f"{np.median(used):.1%}" if used else None,
        },
    )


def _losses(steps: Sequence[StepNote], looks: Sequence[HeldoutNote]) -> Lines:
    series = [_curve("learned from", steps, [note.loss for note in steps])]
    if looks:
        series.append(
            Series(
                name="held out",
                x=tuple(note.step for note in looks),
                y=tuple(note.loss for note in looks),
            )
        )
    return Lines(title="Loss", x="step", y="loss", series=tuple(series), log_y=_wide(series))


def _rates(steps: Sequence[StepNote]) -> Lines:
    alike: dict[tuple[float, ...], list[str]] = {}
    for name in steps[0].rates:
        # Parts at one rate are one curve: the later would hide the earlier.
        alike.setdefault(tuple(note.rates[name] * 1e6 for note in steps), []).append(name)
    series = tuple(_curve(" and ".join(names), steps, values) for values, names in alike.items())
    return Lines(
        title="Learning rates",
        note="Of the parts that train; the others are frozen.",
        x="step", y="rate, in millionths", series=series,
    )  # fmt: skip


def _by(steps: Sequence[StepNote], what: str, title: str) -> Lines:
    names = sorted({name for note in steps for name in getattr(note, what)})
    series = tuple(
        _curve(name, steps, [getattr(note, what).get(name) for note in steps]) for name in names
    )
    return Lines(title=title, note="Each sample's own mean.", x="step", y="loss", series=series,
                 log_y=_wide(series))  # fmt: skip


def _speed(steps: Sequence[StepNote]) -> Lines:
    values = [note.tokens / note.seconds for note in steps]
    return Lines(title="Speed", x="step", y="tokens a second",
                 series=(_curve("tokens a second", steps, values),))  # fmt: skip


def _norms(steps: Sequence[StepNote]) -> Lines:
    values = [note.norm for note in steps]
    series = (_curve("norm", steps, values),)
    return Lines(title="Norm of the gradient", note="Before clipping.", x="step", y="norm",
                 series=series, log_y=_wide(series))  # fmt: skip


def _wide(series: Sequence[Series]) -> bool:
    """Says whether the first steps would leave no room to see the others on an even axis."""
    values = [value for curve in series for value in curve.y if value is not None]
    return min(values) > 0 and max(values) > 10 * min(values)


def _rows(run: "Run", steps: Sequence[StepNote]) -> Table:
    plan, most = run.plan, run.stage.sequence.max_length
    samples, rows = len(plan.documents), sum(note.rows for note in steps)
    tokens = int(run.mixture.lengths.tokens[plan.documents].sum(dtype=np.int64))
    facts = (
        ("mode", run.stage.packing.mode),
        ("loss", f"{run.stage.loss.norm}: {run.stage.loss.why}".rstrip(": ")),
        ("samples a step", f"{samples / len(steps):.1f} in the mean"),
        ("rows a step", f"{rows / len(steps):.1f} in the mean"),
        ("tokens a sample", f"{tokens / samples:.1f} in the mean"),
        ("filled", f"{tokens / (rows * most):.1%} of rows of {most:,} tokens"),
    )
    return Table(title="Packing", columns=("", "value"), rows=facts)


def _parts(run: "Run") -> Table:
    from lingshu_train.groups import audit

    rates = run.stage.rates.trained()
    rows = tuple(
        (name, members.parameters, members.trained,
         f"{rates[name]:g}" if name in rates else "frozen")
        for name, members in audit(run.engine.supervised.model).items()
    )  # fmt: skip
    return Table(
        title="Parts of the model",
        columns=("part", "parameters", "that train", "peak rate"),
        rows=rows,
    )


def _answers(generations: Sequence[Generation]) -> list[Panel]:
    last = max(item.step for item in generations)
    final = [item for item in generations if item.step == last]
    pictures = tuple(
        Picture(
            path=item.picture,
            badge=f"gold: {item.gold[:60]}",
            caption=f"{_question(item)[:160]} → {item.answer[:160]}",
        )
        for item in final
        if item.picture
    )
    table = Table(
        title=f"Held-out answers after step {last}",
        wide=True,
        columns=("asked", "gold", "answered", "word for word"),
        rows=tuple(
            (_question(item)[:300], item.gold[:300], item.answer[:300],
             "yes" if item.answer == item.gold else "no")
            for item in final
        ),
    )  # fmt: skip
    if not pictures:
        return [table]
    return [Gallery(title="Held-out pictures", wide=True, pictures=pictures), table]


def _question(item: Generation) -> str:
    """Returns what was asked; a picture before the words goes without saying."""
    return item.question.removeprefix("<image>").replace("<image>", "[picture]")


def _set_aside(run: "Run") -> Panel:
    lengths = run.mixture.lengths
    reasons = Counter(item.reason for item in lengths.set_aside)
    reasons.update(item.reason for item in run.failed)
    if not reasons:
        return Prose(title="Set aside", text="Every sample of the mixture was learned from.")
    examples = {item.reason: item.record or item.place for item in lengths.set_aside}
    examples |= {item.reason: item.record for item in run.failed}
    return Table(
        title="Set aside",
        wide=True,
        columns=("reason", "samples", "for instance"),
        rows=tuple((why, count, examples[why]) for why, count in reasons.most_common(20)),
    )


def _curve(name: str, steps: Sequence[StepNote], values: Sequence[float | None]) -> Series:
    """Returns a curve of at most 400 points; a point without a value is a gap."""
    width = -(-len(steps) // _POINTS)
    x, y = [], []
    for start in range(0, len(steps), width):
        known = [value for value in values[start : start + width] if value is not None]
        x.append(steps[min(start + width, len(steps)) - 1].step)
        y.append(sum(known) / len(known) if known else None)
    return Series(name=name, x=tuple(x), y=tuple(y))
