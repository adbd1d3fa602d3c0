"""A stage run several times with one thing changed: what kinds of data and how much of it give.

The paper's Table 10 leaves kinds of data out, its Figure 10 takes shares of the data. Every run
is a run of its own below the study's folder and is resumed as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from lingshu_core.checkpoint import is_checkpoint, read_checkpoint
from lingshu_core.console import say
from lingshu_core.errors import SettingsError
from lingshu_core.page import publish
from lingshu_core.panels import Bars, Lines, Panel, Series, Stats, Table, read_stats
from lingshu_core.recipe import nearest
from lingshu_train.kinds import KINDS
from lingshu_train.metrics import HeldoutNote, read_notes
from lingshu_train.runner import run_stage
from lingshu_train.settings import Stage
from lingshu_train.world import World

ALIGNMENT = "alignment"
"""Not a kind of record: leaves shallow and deep alignment out and starts from the base model."""

_TITLES = {"ablate": "Ablation", "scale": "Data scaling"}


@dataclass(frozen=True)
class Outcome:
    """How one run of a study came out."""

    name: str
    samples: int
    seconds: float
    note: HeldoutNote


def ablate(stage: Stage, recipe: str, without: Sequence[str], out: Path, world: World) -> None:
    """Runs a stage whole, and once without each kind of data.

    Raises:
        SettingsError: A kind is unknown, or no held-out manifest is named.
    """
    _need_heldout(stage)
    for name in without:
        if name not in KINDS and name != ALIGNMENT:
            raise SettingsError(f"{name!r} is no kind of data{nearest(name, [*KINDS, ALIGNMENT])}")
    outcomes = [_outcome(stage, recipe, out / "whole", world)]
    for name in without:
        changed = _without(stage, name)
        outcomes.append(_outcome(changed, recipe, out / f"without-{name}", world))
        if name != ALIGNMENT and outcomes[-1].samples == outcomes[0].samples:
            say(f"the mixture holds no {name}: this run is the whole one again")
    if world.first:
        publish(out, _ablation_stats(outcomes, recipe))


def scale(stage: Stage, recipe: str, shares: Sequence[int], out: Path, world: World) -> None:
    """Runs a stage on growing shares of its mixture, each part of the next.

    Args:
        stage: The stage on the whole mixture.
        recipe: Its name.
        shares: In percent.
        out: Folder of the study.
        world: The ranks.

    Raises:
        SettingsError: A share is none, or no held-out manifest is named.
    """
    _need_heldout(stage)
    outcomes = []
    for share in sorted(set(shares)):
        if not 1 <= share <= 100:
            raise SettingsError(f"a share is a percentage from 1 to 100, not {share}")
        data = stage.data.model_copy(update={"share": share / 100})
        changed = stage.model_copy(update={"data": data})
        outcomes.append(_outcome(changed, recipe, out / f"share-{share:03}", world))
    if world.first:
        publish(out, _scaling_stats(outcomes, sorted(set(shares)), recipe))


def _need_heldout(stage: Stage) -> None:
    stage.require_paths()
    if stage.heldout is None:
        raise SettingsError("a study compares on held-out samples: give --set heldout=MANIFEST")


def _without(stage: Stage, name: str) -> Stage:
    if name == ALIGNMENT:
        return stage.model_copy(update={"parent": str(_base_of(Path(stage.parent)))})
    data = stage.data.model_copy(update={"without": (*stage.data.without, name)})
    return stage.model_copy(update={"data": data})


def _base_of(folder: Path) -> Path:
    """Returns the checkpoint that the first stage of a chain went on from."""
    while is_checkpoint(folder):
        found = read_checkpoint(folder)
        if found.stage == "base":
            return folder
        folder = Path(found.parents[0].path)
    return folder


def _outcome(stage: Stage, recipe: str, folder: Path, world: World) -> Outcome:
    say(f"{folder.name}:")
    run_stage(stage, recipe, folder, world)
    _, looks = read_notes(folder)
    samples = read_checkpoint(folder).samples // stage.epochs
    return Outcome(folder.name, samples, read_stats(folder).seconds, looks[-1])


def _ablation_stats(outcomes: Sequence[Outcome], recipe: str) -> Stats:
    whole, *others = outcomes
    series = tuple(
        Series(
            name=task,
            x=tuple(outcome.name for outcome in others),
            y=tuple(_change(whole, outcome, task) for outcome in others),
        )
        for task in _tasks(outcomes)
    )
    panels: tuple[Panel, ...] = (
        _answers(outcomes),
        Bars(
            title="Change against the whole mixture",
            note="Of the share that is answered word for word; below zero, leaving it out costs.",
            wide=True,
            y="change of the share",
            series=series,
        ),
        _losses(outcomes),
    )
    return _stats("ablate", recipe, outcomes, panels)


def _change(whole: Outcome, other: Outcome, task: str) -> float | None:
    before, after = whole.note.exact.get(task), other.note.exact.get(task)
    return None if before is None or after is None else after - before


def _scaling_stats(outcomes: Sequence[Outcome], shares: Sequence[int], recipe: str) -> Stats:
    series = tuple(
        Series(
            name=task,
            x=tuple(shares),
            y=tuple(outcome.note.exact.get(task) for outcome in outcomes),
        )
        for task in _tasks(outcomes)
    )
    losses = Series(
        name="held out", x=tuple(shares), y=tuple(outcome.note.loss for outcome in outcomes)
    )
    axis = "share of the mixture, %"
    panels: tuple[Panel, ...] = (
        Lines(title="Held-out samples answered word for word", x=axis, y="share of samples",
              series=series),
        Lines(title="Held-out loss", x=axis, y="loss", series=(losses,)),
        _answers(outcomes),
        _losses(outcomes),
    )  # fmt: skip
    return _stats("scale", recipe, outcomes, panels)


def _tasks(outcomes: Sequence[Outcome]) -> list[str]:
    return sorted({task for outcome in outcomes for task in outcome.note.exact})


def _answers(outcomes: Sequence[Outcome]) -> Table:
    tasks, counts = _tasks(outcomes), outcomes[0].note.counts
    few = min(counts.values())
    rows = []
    for outcome in outcomes:
        note = outcome.note
        shares = [_rounded(note.exact.get(task)) for task in tasks]
        rows.append((outcome.name, outcome.samples, _rounded(note.loss), *shares))
    return Table(
        title="Held-out samples answered word for word",
        note="In brackets how many there are of each kind. Chance alone may move the share of "
        f"{few} by {0.98 / few**0.5:.2f} (95 %).",
        wide=True,
        columns=(
            "run",
            "samples",
            "held-out loss",
            *(f"{kind} ({counts[kind]})" for kind in tasks),
        ),
        rows=tuple(rows),
    )


def _losses(outcomes: Sequence[Outcome]) -> Table:
    names = sorted({name for outcome in outcomes for name in outcome.note.sources})
    return Table(
        title="Held-out loss by dataset",
        wide=True,
        columns=("dataset", *(outcome.name for outcome in outcomes)),
        rows=tuple(
            (name, *(_rounded(outcome.note.sources.get(name)) for outcome in outcomes))
            for name in names
        ),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _stats(
    command: str, recipe: str, outcomes: Sequence[Outcome], panels: tuple[Panel, ...]
) -> Stats:
    figures = {
        f"{outcome.name} {task}": share
        for outcome in outcomes
        for task, share in outcome.note.exact.items()
    }
    return Stats(
        title=f"{_TITLES[command]}: {recipe}",
        summary=f"{len(outcomes)} runs, compared on the same held-out samples. Each has a page of "
        "its own, in the folder of its name.",
        package="lingshu-train",
        version=version("lingshu-train"),
        command=f"{command} {recipe}",
        seconds=round(sum(outcome.seconds for outcome in outcomes), 2),
        counts={outcome.name: outcome.samples for outcome in outcomes},
        figures={**figures, **{f"{o.name} loss": o.note.loss for o in outcomes}},
        panels=panels,
    )
