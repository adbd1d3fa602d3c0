"""`medevalkit compare`: two runs on the same items, what differs and whether that is chance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest, is_finished
from lingshu_core.records import Score, Verdict
from medevalkit.folder import Stored, items_path, read_state
from medevalkit.items import Items, kind_of, rotated_from
from medevalkit.statistics import Difference, paired_means, paired_proportions
from medevalkit.tables import Grid

FORMAT = "medevalkit-comparison/1"
_ACCURACY = "accuracy"
_DIGITS = 6
_SHOWN = 40


class DifferenceRow(Stored):
    """One measure of both runs."""

    task: str
    kind: str
    """`choice`, `closed`, `open`, `report`, `dialogue`, or `all` of them."""
    measure: str
    """`accuracy`, or the name of a metric."""
    n: int
    """Answers that both runs have."""
    first: float
    second: float
    difference: float
    """The second less the first."""
    low: float
    high: float
    """The 95 % interval of the difference; items that share a picture count as a cluster."""
    p: float
    """McNemar's exact test for accuracy, a paired bootstrap for means."""
    gained: int = 0
    """Answers that only the second run has right."""
    lost: int = 0
    """Answers that only the first run has right."""


class Changed(Stored):
    """An answer about which the verdicts differ."""

    task: str
    item: str
    replica: int = 0
    first: Verdict | None
    second: Verdict | None
    first_parsed: str | None
    second_parsed: str | None


class Comparison(Stored):
    """Two runs under one profile."""

    format: str = FORMAT
    first: str
    """What the model of the first run is called."""
    second: str
    profile: str
    rows: tuple[DifferenceRow, ...]
    changed: tuple[Changed, ...]
    only_first: int = 0
    """Answers that the other run does not have; they are left out."""
    only_second: int = 0


@dataclass(frozen=True, slots=True)
class _Said:
    verdict: Verdict | None
    parsed: str | None
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Pair:
    kind: str
    cluster: str
    first: _Said
    second: _Said


def compare(first: Path, second: Path, profile: str = "strict") -> Comparison:
    """Returns what differs between two scored runs.

    Args:
        first: Folder of a run: what is compared with.
        second: Folder of another run; answers are paired by task, item and replica.
        profile: The profile whose verdicts are compared.

    Raises:
        DataError: A folder is no run, or was not scored under the profile.
        SettingsError: The runs have no item in common.
    """
    ours, theirs = _scores(first, profile), _scores(second, profile)
    if not ours.keys() & theirs.keys():
        raise SettingsError(f"{first} and {second} have no item in common")
    rows: list[DifferenceRow] = []
    for task in read_state(first).tasks:
        of_items = {
            record.id: (
                kind_of(record),
                record.images[0].sha256 if record.images else rotated_from(record) or record.id,
            )
            for record in Items(items_path(first, task.name))
        }
        pairs = [
            _Pair(*of_items[key[1]], said, theirs[key])
            for key, said in ours.items()
            if key[0] == task.name and key in theirs
        ]
        rows += _rows(task.name, pairs)
    return Comparison(
        first=read_state(first).model,
        second=read_state(second).model,
        profile=profile.replace("_", "-"),
        rows=tuple(rows),
        changed=tuple(_changed(ours, theirs)),
        only_first=len(ours.keys() - theirs.keys()),
        only_second=len(theirs.keys() - ours.keys()),
    )


def comparison_grids(found: Comparison, *, most: int) -> list[Grid]:
    """Returns a comparison as tables.

    Args:
        found: The comparison.
        most: How many of the changed answers are listed.
    """
    note = f"{found.second} less {found.first}, profile {found.profile}."
    left_out = found.only_first + found.only_second
    if left_out:
        note += f" {left_out} answers that only one of them has are left out."
    columns = ("task", "kind", "measure", "answers", "first", "second", "difference", "95 %", "p")
    grids = [
        Grid(
            f"{found.first} and {found.second}",
            (*columns, "gained", "lost"),
            tuple(map(_line, found.rows)),
            note,
        )
    ]
    shown = found.changed[:most]
    if shown:
        left = len(found.changed) - len(shown)
        grids.append(
            Grid(
                "Changed verdicts",
                ("task", "item", "first", "read as", "second", "read as"),
                tuple(map(_changed_line, shown)),
                f"{left} more are in --format json." if left else "",
            )
        )
    return grids


def _scores(folder: Path, profile: str) -> dict[tuple[str, str, int], _Said]:
    place = folder / "scores" / profile.replace("_", "-")
    read_state(folder)
    if not is_finished(place):
        raise DataError(
            f"is not there: give `medevalkit score {folder} --profile {profile}` first", path=place
        )
    return {
        (score.task, score.item, score.replica): _Said(score.verdict, score.parsed, score.metrics)
        for score in Manifest(place).of(Score)
    }


def _rows(task: str, pairs: Sequence[_Pair]) -> Iterator[DifferenceRow]:
    kinds = list(dict.fromkeys(pair.kind for pair in pairs))
    if len(kinds) > 1:
        yield from _accuracy(task, "all", pairs)
    for kind in kinds:
        mine = [pair for pair in pairs if pair.kind == kind]
        yield from _accuracy(task, kind, mine)
        for name in dict.fromkeys(name for pair in mine for name in pair.first.metrics):
            having = [pair for pair in mine if name in pair.first.metrics]
            having = [pair for pair in having if name in pair.second.metrics]
            if having:
                yield _metric(task, kind, name, having)


def _accuracy(task: str, kind: str, pairs: Sequence[_Pair]) -> Iterator[DifferenceRow]:
    having = [pair for pair in pairs if pair.first.verdict or pair.second.verdict]
    if not having:
        return
    first = [pair.first.verdict == "right" for pair in having]
    second = [pair.second.verdict == "right" for pair in having]
    found = paired_proportions(first, second, [pair.cluster for pair in having])
    both = list(zip(first, second, strict=True))
    yield DifferenceRow(
        **_measured(task, kind, _ACCURACY, len(having), sum(first), sum(second)),
        **_tested(found),
        gained=both.count((False, True)),
        lost=both.count((True, False)),
    )


def _metric(task: str, kind: str, name: str, pairs: Sequence[_Pair]) -> DifferenceRow:
    first = [pair.first.metrics[name] for pair in pairs]
    second = [pair.second.metrics[name] for pair in pairs]
    found = paired_means(first, second, [pair.cluster for pair in pairs])
    measured = _measured(task, kind, name, len(pairs), sum(first), sum(second))
    return DifferenceRow(**measured, **_tested(found))


def _measured(
    task: str, kind: str, measure: str, n: int, first: float, second: float
) -> dict[str, Any]:
    return {
        "task": task,
        "kind": kind,
        "measure": measure,
        "n": n,
        "first": round(first / n, _DIGITS),
        "second": round(second / n, _DIGITS),
    }


def _tested(found: Difference) -> dict[str, float]:
    return {
        "difference": round(found.value, _DIGITS),
        "low": round(found.low, _DIGITS),
        "high": round(found.high, _DIGITS),
        "p": round(found.p, _DIGITS),
    }


def _changed(
    ours: dict[tuple[str, str, int], _Said], theirs: dict[tuple[str, str, int], _Said]
) -> Iterator[Changed]:
    for (task, item, replica), said in ours.items():
        other = theirs.get((task, item, replica))
        if other is not None and other.verdict != said.verdict:
            yield Changed(
                task=task,
                item=item,
                replica=replica,
                first=said.verdict,
                second=other.verdict,
                first_parsed=said.parsed,
                second_parsed=other.parsed,
            )


def _line(row: DifferenceRow) -> tuple[str, ...]:
    scale, digits = (100, 1) if row.measure == _ACCURACY else (1, 4)

    def shown(value: float, sign: str = "") -> str:
        return f"{scale * value:{sign}.{digits}f}"

    interval = f"{shown(row.low, '+')} to {shown(row.high, '+')}"
    changes = (f"{row.gained}", f"{row.lost}") if row.measure == _ACCURACY else ("", "")
    return (
        *(row.task, row.kind, row.measure, f"{row.n}", shown(row.first), shown(row.second)),
        *(shown(row.difference, "+"), interval, _p(row.p), *changes),
    )


def _changed_line(one: Changed) -> tuple[str, ...]:
    first, second = (
        (verdict or "", " ".join((parsed or "").split())[:_SHOWN])
        for verdict, parsed in ((one.first, one.first_parsed), (one.second, one.second_parsed))
    )
    return (one.task, one.item, *first, *second)


def _p(value: float) -> str:
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"
