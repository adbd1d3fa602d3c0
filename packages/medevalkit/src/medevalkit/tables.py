"""Tables of one run or several: for the terminal, and as Markdown, LaTeX or CSV for papers."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from medevalkit.rows import MetricRow, Row
from medevalkit.scores import Scores
from medevalkit.suites import SUITES

Format = Literal["text", "markdown", "latex", "csv"]

_DASH = "\N{EN DASH}"
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\N{EN DASH}": "--",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
_NUMBER = re.compile(r"^-?[\d.,]+ ?%?$")
_LOWER = ("radcliq-v0", "radcliq-v1")
"""Of these the lower is better, and the reciprocal of the mean stands beside it."""


@dataclass(frozen=True)
class Grid:
    """A titled table of texts."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def grids(runs: Sequence[Scores], *, breakdowns: bool = False) -> list[Grid]:
    """Returns the tables of runs: accuracy under each profile side by side, averages, metrics.

    Args:
        runs: One or several, each named by its model.
        breakdowns: Whether to divide by modality, language and tags as well.
    """
    found = [_accuracy("Accuracy", runs, lambda row: row.by is None), _averages(runs)]
    found += [_metrics(runs), _agreement(runs)]
    if breakdowns:
        names = dict.fromkeys(
            (row.task, row.by) for run in runs for row in run.rows if row.by is not None
        )
        for task, by in names:
            found.append(_breakdown(runs, task, by))
    return [grid for grid in found if grid.rows or grid.note]


def written(found: Iterable[Grid], form: Format) -> str:
    """Returns tables in a format."""
    writers: dict[str, Callable[[Grid], str]] = {
        "text": _text,
        "markdown": _markdown,
        "latex": _latex,
        "csv": _csv,
    }
    return "\n".join(writers[form](grid) for grid in found)


def _accuracy(title: str, runs: Sequence[Scores], chosen: Callable[[Row], bool]) -> Grid:
    """Returns accuracies with all profiles side by side."""
    profiles = list(dict.fromkeys(row.profile for run in runs for row in run.rows))
    columns = ["task", "kind", "items", "unanswered", "chance"]
    for profile in profiles:
        columns += [profile, "95 %", "unparsed", "unjudged"]
    lines = []
    judged = False
    for run in runs:
        table: dict[tuple[str, str, str], dict[str, Row]] = {}
        for row in run.rows:
            if chosen(row) and row.accuracy is not None:
                key = (row.task, row.kind, row.value or "")
                table.setdefault(key, {})[row.profile] = row
        for (task, _, value), by_profile in table.items():
            first = next(iter(by_profile.values()))
            name = f"{task}: {value}" if value else task
            cells = [name, _kind(first), f"{first.n}", _percent(first.unanswered)]
            cells.append(_percent(first.chance))
            for profile in profiles:
                cells += _read(by_profile.get(profile))
            lines.append(([run.model] if len(runs) > 1 else []) + cells)
            judged |= first.kind == "open"
    head = ["model", *columns] if len(runs) > 1 else columns
    return Grid(title, tuple(head), tuple(map(tuple, lines)), _note(runs) if judged else "")


def _kind(row: Row) -> str:
    if row.kind != "open":
        return row.kind
    return "open, by rule" if row.judged == 0 else "open, judged"


def _note(runs: Sequence[Scores]) -> str:
    judges = list(dict.fromkeys(name for run in runs for name in run.judges))
    if judges:
        return f"Open answers are judged by {', '.join(judges)}; what nobody judged is not right."
    return (
        "Without a judge open answers are read by rule: right are the gold's words and their "
        "synonyms; exact match and token F1 stand below."
    )


def _read(row: Row | None) -> list[str]:
    """Returns what one profile makes of the answers."""
    if row is None or row.accuracy is None:
        return [_DASH, "", "", ""]
    interval = f"{_percent(row.low)} to {_percent(row.high)}"
    return [_percent(row.accuracy), interval, _percent(row.unparsed), _percent(row.unjudged)]


def _averages(runs: Sequence[Scores]) -> Grid:
    """Returns the mean over the tasks of every suite that a run has all tasks of."""
    lines = []
    for run in runs:
        for profile in dict.fromkeys(row.profile for row in run.rows):
            whole = wholes(run, profile)
            for name, suite in SUITES.items():
                values = [whole.get(task) for task in suite.tasks]
                having = [value for value in values if value is not None]
                if len(having) == len(values):
                    mean = sum(having) / len(having)
                    lines.append((run.model, name, profile, f"{len(values)}", _percent(mean)))
    note = "The mean of the tasks' accuracies, each task counting once, as in the paper."
    columns = ("model", "suite", "profile", "tasks", "mean")
    return Grid("Averages", columns, tuple(lines), note if lines else "")


def wholes(run: Scores, profile: str) -> dict[str, float]:
    """Returns the accuracy of each task as a whole."""
    found: dict[str, float] = {}
    for row in run.rows:
        if row.by is None and row.profile == profile and row.accuracy is not None:
            found.setdefault(row.task, row.accuracy)
    return found


def _metrics(runs: Sequence[Scores]) -> Grid:
    lines = []
    for run in runs:
        for row in run.rows:
            if row.by is not None or row.kind == "all":
                continue
            for name, metric in row.metrics.items():
                lines.append(
                    (run.model, row.task, row.profile, name, f"{row.n}", *_metric(name, metric))
                )
    columns = ("model", "task", "profile", "metric", "items", "mean", "95 %")
    notes = _not_computed(runs)
    if lines:
        notes.insert(
            0,
            "Empty answers count in every mean. Normal: one normal report for every study; "
            "shuffled: each study gets the reference of another.",
        )
    return Grid("Metrics", (*columns, "normal", "shuffled"), tuple(lines), "\n".join(notes))


def _not_computed(runs: Sequence[Scores]) -> list[str]:
    """Returns what every metric that failed says, each once."""
    found = (f"{name}: {note}" for run in runs for name, note in run.notes.items())
    return list(dict.fromkeys(line for line in found if ": not computed: " in line))


def _metric(name: str, metric: MetricRow) -> tuple[str, ...]:
    mean = _short(metric.mean)
    if name.rpartition(".")[2] in _LOWER and metric.mean:
        mean += f" (1/mean {_short(1 / metric.mean)})"
    interval = f"{_short(metric.low)} to {_short(metric.high)}"
    return mean, interval, _short(metric.constant), _short(metric.shuffled)


def _agreement(runs: Sequence[Scores]) -> Grid:
    lines = [
        (
            *(run.model, one.task, one.first, one.second, f"{one.n}"),
            *(_percent(one.same), _short(one.kappa)),
        )
        for run in runs
        for one in run.agreement
    ]
    columns = ("model", "task", "judge", "other judge", "answers", "same", "kappa")
    return Grid("Agreement of judges (Cohen's kappa)", columns, tuple(lines))


def _breakdown(runs: Sequence[Scores], task: str, by: str | None) -> Grid:
    return _accuracy(
        f"{task} by {by}", runs, lambda row: row.by == by and by is not None and row.task == task
    )


def _percent(value: float | None) -> str:
    return _DASH if value is None else f"{100 * value:.1f}"


def _short(value: float | None) -> str:
    return _DASH if value is None else f"{value:.4f}"


def _text(grid: Grid) -> str:
    table = [grid.columns, *grid.rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(grid.columns))]
    right = [_is_number(grid, i) for i in range(len(widths))]
    lines = [grid.title]
    for row in table:
        cells = [
            cell.rjust(w) if r else cell.ljust(w)
            for cell, w, r in zip(row, widths, right, strict=True)
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join([*lines, *([grid.note] if grid.note else []), ""])


def _is_number(grid: Grid, column: int) -> bool:
    cells = [row[column] for row in grid.rows if row[column] not in {"", _DASH}]
    return bool(cells) and all(_NUMBER.match(cell) for cell in cells)


def _markdown(grid: Grid) -> str:
    ends = ["---:" if _is_number(grid, i) else "---" for i in range(len(grid.columns))]
    lines = [f"### {grid.title}", "", _piped(grid.columns), _piped(ends)]
    lines += [_piped(row) for row in grid.rows]
    return "\n".join([*lines, "", *([grid.note, ""] if grid.note else [])])


def _piped(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _latex(grid: Grid) -> str:
    ends = "".join("r" if _is_number(grid, i) else "l" for i in range(len(grid.columns)))
    lines = [f"% {grid.title}", f"\\begin{{tabular}}{{{ends}}}", r"\toprule"]
    lines += [_ampersands(grid.columns), r"\midrule", *map(_ampersands, grid.rows)]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _ampersands(cells: Sequence[str]) -> str:
    escaped = ("".join(_LATEX.get(sign, sign) for sign in cell) for cell in cells)
    return " & ".join(escaped) + r" \\"


def _csv(grid: Grid) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["table", *grid.columns])
    writer.writerows([grid.title, *_plain(row)] for row in grid.rows)
    return buffer.getvalue()


def _plain(row: Sequence[str]) -> Iterator[str]:
    for cell in row:
        # A cell that begins like a formula stays text in a spreadsheet.
        yield f"'{cell}" if cell[:1] in {"=", "+", "@"} else cell.replace(_DASH, "")
