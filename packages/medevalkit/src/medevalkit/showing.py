"""The page of a run: `stats.json` and `index.html` beside its tables."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from lingshu_core.page import publish
from lingshu_core.panels import Bars, Cell, Facts, Gallery, Panel, Picture, Series, Stats, Table
from medevalkit.rows import Row
from medevalkit.scores import Scores

_SHARES = ("unparsed", "unanswered", "unjudged")


def show(folder: Path, scores: Scores, pictures: Sequence[Picture]) -> None:
    """Writes the page of a run: scoreboard, breakdowns, samples."""
    whole = [row for row in scores.rows if row.by is None]
    panels: list[Panel] = [
        Facts(title="", facts=_facts(scores), wide=True),
        Table(
            title="Scoreboard",
            note="Accuracy with its 95 % interval (Wilson's; items that share a picture count as a "
            "cluster). Chance is what guessing gives. Unparsed: no answer was found in the words.",
            columns=("task", "kind", "profile", "n", "accuracy", "from", "to", "chance", *_SHARES),
            rows=tuple(_line(row) for row in whole),
            wide=True,
        ),
    ]
    panels += _metrics(whole)
    panels += _breakdowns(scores)
    if pictures:
        panels.append(Gallery(title="Some answers", pictures=tuple(pictures), wide=True))
    publish(
        folder,
        Stats(
            title=f"Scores of {scores.model}",
            summary="" if scores.finished else "The run has not ended: some items were not asked.",
            package="lingshu-medevalkit",
            version=version("lingshu-medevalkit"),
            command="medevalkit score",
            counts={f"{row.task}/{row.kind}": row.n for row in whole},
            figures={
                f"{row.profile}/{row.task}/{row.kind}": row.accuracy
                for row in whole
                if row.accuracy is not None
            },
            panels=tuple(panels),
        ),
    )


def _facts(scores: Scores) -> dict[str, Cell]:
    profile = scores.rows[0].profile if scores.rows else ""
    found: dict[str, Cell] = {"model": scores.model}
    for task in dict.fromkeys(row.task for row in scores.rows):
        first = next(row for row in scores.rows if row.task == task and row.profile == profile)
        found[task] = first.accuracy and f"{first.accuracy:.3f}"
    return found


def _line(row: Row) -> tuple[Cell, ...]:
    shares = tuple(getattr(row, name) for name in _SHARES)
    return (
        row.task,
        row.kind,
        row.profile,
        row.n,
        row.accuracy,
        row.low,
        row.high,
        row.chance,
        *shares,
    )


def _metrics(rows: Sequence[Row]) -> list[Panel]:
    lines = tuple(
        (row.task, row.kind, row.profile, name, found.mean, found.low, found.high)
        for row in rows
        if row.kind != "all"
        for name, found in row.metrics.items()
    )
    if not lines:
        return []
    columns = ("task", "kind", "profile", "metric", "mean", "from", "to")
    note = "Means with the 95 % interval of a bootstrap over pictures."
    return [Table(title="Metrics of texts", note=note, columns=columns, rows=lines, wide=True)]


def _breakdowns(scores: Scores) -> list[Panel]:
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in scores.rows:
        if row.by is not None and row.accuracy is not None:
            groups.setdefault((row.task, row.kind, row.by), []).append(row)
    return [
        Bars(
            title=f"{task}, {kind} by {by}",
            y="accuracy",
            series=tuple(
                _series(profile, rows) for profile in dict.fromkeys(r.profile for r in rows)
            ),
            horizontal=len(rows) > 6,
        )
        for (task, kind, by), rows in groups.items()
        if len(rows) > 1
    ]


def _series(profile: str, rows: Sequence[Row]) -> Series:
    mine = [row for row in rows if row.profile == profile]
    return Series(
        name=profile,
        x=tuple(f"{row.value} ({row.n})" for row in mine),
        y=tuple(row.accuracy for row in mine),
    )
