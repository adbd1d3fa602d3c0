"""How many records went from where to where, from the parents that manifests name and their ids."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from lingshu_data.survey import Index, Survey

Links = tuple[tuple[str, str, float], ...]

_NODES = 24
"""Datasets by name; those with fewest records are put together."""
_OTHERS = "other datasets"


def flow(surveys: Sequence[Survey]) -> Links:
    """Returns how many records went from where to where.

    A record comes from the parent that holds its id; from its dataset where that parent is the
    first of its line; and from its dataset or from synthesis where no parent holds it.
    """
    by_digest = {survey.digest: survey for survey in surveys}
    parents_of = {
        survey.digest: [by_digest[parent] for parent in survey.parents if parent in by_digest]
        for survey in surveys
    }
    inner = {parent.digest for parents in parents_of.values() for parent in parents}
    datasets = {name for survey in surveys for name in survey.index.names}
    counts: Counter[tuple[str, str]] = Counter()
    for survey in surveys:
        parents = parents_of[survey.digest]
        # A parent without parents is no step of its own: its datasets are.
        steps = [
            (parent.index, _place(parent, datasets) if parents_of[parent.digest] else None)
            for parent in parents
        ]
        if parents or survey.digest not in inner:
            came = _sources(survey.index, steps)
            counts += _pairs(came, [_place(survey, datasets)], np.zeros(len(survey.index), int))
        if survey.dropped is not None:
            came = _sources(survey.dropped.index, steps)
            reasons = np.array(survey.dropped.reasons, np.int64)
            counts += _pairs(came, list(survey.dropped.names), reasons)
    few = _few(counts, datasets)
    merged: Counter[tuple[str, str]] = Counter()
    for (source, target), number in counts.items():
        merged[_OTHERS if source in few else source, target] += number
    return tuple((source, target, n) for (source, target), n in sorted(merged.items()))


def _place(survey: Survey, datasets: set[str]) -> str:
    return f"{survey.label} (manifest)" if survey.label in datasets else survey.label


def _sources(
    index: Index, steps: Sequence[tuple[Index, str | None]]
) -> tuple[list[str], np.ndarray]:
    """Returns names, and for each record the place of the one it came from, int64 (n,)."""
    names = dict(index.names)
    places = np.array(index.origins, np.int64)
    ids = np.array(index.ids, np.uint64)
    left = np.ones(len(ids), bool)
    for parent, name in steps:
        rows = parent.find(ids)
        mine = left & (rows >= 0)
        left &= ~mine
        if name is not None:
            places[mine] = names.setdefault(name, len(names))
        elif mine.any():
            known = np.array([names.setdefault(each, len(names)) for each in parent.names])
            places[mine] = known[np.array(parent.origins, np.int64)[rows[mine]]]
    return list(names), places


def _pairs(
    came: tuple[list[str], np.ndarray], targets: Sequence[str], to: np.ndarray
) -> Counter[tuple[str, str]]:
    names, places = came
    pairs, numbers = np.unique(places * len(targets) + to, return_counts=True)
    return Counter(
        {
            (names[pair // len(targets)], targets[pair % len(targets)]): int(number)
            for pair, number in zip(pairs.tolist(), numbers.tolist(), strict=True)
        }
    )


def _few(counts: Mapping[tuple[str, str], int], datasets: set[str]) -> set[str]:
    """Returns the datasets that are too many to be shown by name."""
    totals: Counter[str] = Counter()
    for (source, _), number in counts.items():
        if source in datasets:
            totals[source] += number
    return (
        {name for name, _ in totals.most_common()[_NODES:]} if len(totals) > _NODES + 1 else set()
    )
