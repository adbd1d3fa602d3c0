"""The tables of the page, and the figures that its charts draw."""

from collections.abc import Iterator, Sequence
from typing import Any

from lingshu_core.errors import SettingsError
from medevalkit.comparing import compare, comparison_grids
from medevalkit.page.entries import ScoredRun
from medevalkit.rows import Row
from medevalkit.tables import Grid, grids

ACCURACY = "accuracy"


def lenses(runs: Sequence[ScoredRun]) -> list[dict[str, Any]]:
    """Returns every run under every profile that it was scored by: what verdicts are seen by."""
    return [
        {"run": place, "profile": profile, "name": f"{run.name} · {profile}"}
        for place, run in enumerate(runs)
        for profile in run.profiles
    ]


def tables(runs: Sequence[ScoredRun]) -> list[Grid]:
    """Returns the scoreboard and, of several runs, how each differs from the first."""
    found = grids([run.scores.model_copy(update={"model": run.name}) for run in runs])
    for other in runs[1:]:
        for profile in runs[0].profiles:
            if profile in other.profiles:
                found += _differences(runs[0], other, profile)
    return found


def _differences(first: ScoredRun, second: ScoredRun, profile: str) -> list[Grid]:
    try:
        found = compare(first.folder, second.folder, profile)
    except SettingsError:  # no item in common: nothing to compare
        return []
    named = found.model_copy(update={"first": first.name, "second": second.name})
    return comparison_grids(named, most=0)


def chart_rows(runs: Sequence[ScoredRun]) -> list[list[Any]]:
    """Returns one row for each bar of the charts.

    A row is: number of the lens, task, kind, what it is divided by and the value (empty for all
    items), measure, n, mean, low, high, chance, and for accuracy the shares of unparsed, unanswered
    and unjudged answers.
    """
    found = []
    for number, lens in enumerate(lenses(runs)):
        for row in runs[lens["run"]].scores.rows:
            if row.profile == lens["profile"]:
                found += [[number, *cells] for cells in _bars(row)]
    return found


def _bars(row: Row) -> Iterator[list[Any]]:
    head = [row.task, row.kind, row.by or "", row.value or ""]
    if row.accuracy is not None:
        figures = [row.accuracy, row.low, row.high, row.chance]
        yield [*head, ACCURACY, row.n, *figures, row.unparsed, row.unanswered, row.unjudged]
    for name, metric in row.metrics.items():
        yield [*head, name, row.n, metric.mean, metric.low, metric.high, metric.constant]
