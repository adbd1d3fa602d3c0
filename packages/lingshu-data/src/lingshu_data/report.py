"""`lingshu-data report`: one page on the data of a run, from the sources to the mixtures."""

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from lingshu_core import page
from lingshu_core.console import say
from lingshu_core.errors import SettingsError
from lingshu_core.files import HEADER_NAME
from lingshu_core.panels import STATS_NAME, Bars, Facts, Flow, Panel, Series, Stats, Table
from lingshu_data.display import spans
from lingshu_data.flow import flow
from lingshu_data.intake import PACKAGE
from lingshu_data.report_samples import contamination, left_out, strips
from lingshu_data.survey import Survey, count, find

_COMMAND = "lingshu-data report"
_SERIES = 4
"""Mixtures beside each other in one chart."""
_MODALITIES = {"text": "pure text"}
"""As the paper calls them."""


def report(paths: Sequence[Path], out: Path) -> None:
    """Writes the page.

    Args:
        paths: Manifests, or folders that hold some at any depth: a run.
        out: The folder to write; its `index.html` is one file that needs nothing beside it.

    Raises:
        SettingsError: There is no manifest, or something else stands in the folder.
        DataError: A manifest is broken.
    """
    _check_free(out)
    surveys = find(paths)
    count(surveys)
    out.mkdir(parents=True, exist_ok=True)
    stats = _stats(surveys, out)
    stats.write(out)
    page.write_page(
        out / page.PAGE_NAME,
        title=stats.title,
        lead=stats.summary,
        sections=[page.Section(stats.model_copy(update={"title": "", "summary": ""}), out)],
        script="inline",
    )
    say(f"page: {out / page.PAGE_NAME}")


def _check_free(out: Path) -> None:
    if (out / HEADER_NAME).is_file() or (
        out.is_dir() and any(out.iterdir()) and not (out / STATS_NAME).is_file()
    ):
        raise SettingsError(f"{out}: holds something else; give a new folder for the report")


def _stats(surveys: Sequence[Survey], out: Path) -> Stats:
    named = {survey.digest for survey in surveys}
    inner = {parent for survey in surveys for parent in survey.parents}
    ends = [survey for survey in surveys if survey.digest not in inner]
    roots = [survey for survey in surveys if not named.intersection(survey.parents)]
    links = flow(surveys)
    reasons = _reasons(surveys)
    counts = {
        "manifests": len(surveys),
        "in": sum(len(survey.index) for survey in roots),
        "set_aside": sum(survey.set_aside for survey in surveys),
        **{f"records {survey.label}": len(survey.index) for survey in surveys},
        **{f"dropped {what}": number for what, number in sorted(reasons.items())},
    }
    panels: list[Panel] = [_facts(surveys, roots, ends, reasons)]
    if links:
        note = "Every record once at each step; what was left out ends at its reason."
        panels.append(Flow(title="From source to mixture", note=note, links=links, wide=True))
    panels += _distributions(ends)
    if reasons:
        columns = ("step", "reason", "records")
        rows = tuple((*what.split(": ", 1), number) for what, number in reasons.most_common())
        panels.append(Table(title="Left out, and why", columns=columns, rows=rows, wide=True))
    panels += [*left_out(surveys, out), *strips(surveys, out), *contamination(surveys, out)]
    return Stats(
        title="The data, from source to mixture",
        summary=f"{len(surveys)} manifests, what they were made from, and what was left out.",
        package=PACKAGE,
        version=version(PACKAGE),
        command=_COMMAND,
        counts=counts,
        panels=tuple(panels),
    )


def _facts(
    surveys: Sequence[Survey],
    roots: Sequence[Survey],
    ends: Sequence[Survey],
    reasons: Counter[str],
) -> Facts:
    facts: dict[str, str | int | float | None] = {
        "records at the start": sum(len(survey.index) for survey in roots),
        "left out at a step": reasons.total(),
        "set aside": sum(survey.set_aside for survey in surveys),
    }
    if untouched := _untouched(surveys, roots, ends):
        # Evaluation sets, mostly: without them the figures would not add up.
        facts["taken in by no step"] = untouched
    facts |= {f"in {survey.label}": len(survey.index) for survey in ends[: 2 * _SERIES]}
    return Facts(title="The account", facts=facts, wide=True)


def _untouched(surveys: Sequence[Survey], roots: Sequence[Survey], ends: Sequence[Survey]) -> int:
    """Returns how many records stand at the start of a flow and were neither kept nor dropped."""
    first, last = ({survey.digest for survey in some} for some in (roots, ends))
    taken = [survey.index for survey in surveys if survey.digest not in first]
    taken += [survey.dropped.index for survey in surveys if survey.dropped is not None]
    known = np.concatenate([np.zeros(0, np.uint64), *(np.array(i.ids, np.uint64) for i in taken)])
    return sum(
        int(np.isin(np.array(survey.index.ids, np.uint64), known, invert=True).sum())
        for survey in roots
        if survey.digest not in last
    )


def _reasons(surveys: Sequence[Survey]) -> Counter[str]:
    found: Counter[str] = Counter()
    for survey in surveys:
        if survey.dropped is not None:
            places = Counter(survey.dropped.reasons)
            found.update({what: places[place] for what, place in survey.dropped.names.items()})
    return found


def _distributions(ends: Sequence[Survey]) -> list[Panel]:
    """Returns how the records look in what nothing else was made from."""
    shown = ends[:_SERIES]
    modalities = [survey.modalities for survey in shown]
    total = sum(modalities, Counter[str]())
    names = [name for name, _ in sorted(total.items(), key=lambda item: (-item[1], item[0]))]
    panels: list[Panel] = []
    if names:
        series = tuple(
            Series(
                name=survey.label,
                x=tuple(_MODALITIES.get(name, name) for name in names),
                y=tuple(survey.modalities[name] for name in names),
            )
            for survey in shown
        )
        note = "Records of the medical domain; the paper's Figure 5."
        title = "Modalities"
        panels.append(
            Bars(title=title, note=note, x="records", series=series, horizontal=True, wide=True)
        )
    for title, x, y, sizes in (
        ("Lengths", "words of a record", "records", [survey.words for survey in shown]),
        ("Sizes", "shorter side of a picture, px", "pictures", [survey.sides for survey in shown]),
    ):
        if any(sizes):
            panels.append(_histogram(title, (x, y), shown, sizes))
    return panels


def _histogram(
    title: str, axes: tuple[str, str], shown: Sequence[Survey], sizes: Sequence[Counter[int]]
) -> Bars:
    """Returns bars by powers of two, from the least to the greatest that occurs."""
    there = sorted({size for counts in sizes for size in counts})
    bits = range(there[0], there[-1] + 1)
    names = spans(bits)
    series = tuple(
        Series(name=survey.label, x=names, y=tuple(counts[n] for n in bits))
        for survey, counts in zip(shown, sizes, strict=True)
    )
    return Bars(title=title, x=axes[0], y=axes[1], series=series)
