"""`medevalkit report`: the page of scored runs, side by side where there are several."""

from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lingshu_core.console import say
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.files import fresh_folder, remove_folder, write_atomic
from lingshu_core.page import PAGE_NAME
from lingshu_core.panels import Stats, read_stats
from medevalkit.folder import locked
from medevalkit.page.boards import chart_rows, lenses, tables
from medevalkit.page.entries import ScoredRun, open_runs, read_entries
from medevalkit.page.parts import LABELS, Parts
from medevalkit.page.pictures import PictureShelf

_COMMAND = "medevalkit report"


def write_report(folders: Sequence[Path], out: Path) -> Stats:
    """Writes the page of scored runs: `index.html`, `data/` and `pictures/`.

    Args:
        folders: Runs; answers to the same item stand beside each other.
        out: Folder of the page. A page that lies there is replaced, anything else is left alone.

    Returns:
        What it shows: items, runs, pictures that could not be shown.

    Raises:
        DataError: A folder is no run, or was not scored.
        SettingsError: A folder is named twice, another process works in it, or `out` holds
            something else.
    """
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise SettingsError("a run is named twice: a page shows each run once")
    runs = open_runs(folders)
    _make_room(out)
    with ExitStack() as stack:
        for run in runs:
            stack.enter_context(locked(run.folder))
        side = stack.enter_context(fresh_folder(out))
        shelf = PictureShelf(side)
        with Parts(side, [len(run.profiles) for run in runs]) as parts:
            for entry in read_entries(runs, shelf):
                parts.add(entry)
        stats = _stats(runs, parts.count, shelf.missing)
        write_atomic(side / PAGE_NAME, _page(runs, stats))
        stats.write(side)
    say(f"page: {out / PAGE_NAME}")
    return stats


def _make_room(out: Path) -> None:
    """Removes the page of before; SettingsError where something else lies there."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        known = read_stats(out).command == _COMMAND
    except DataError:
        known = False
    if not known:
        raise SettingsError(f"{out} holds something else than a page: name another --out")
    remove_folder(out)


def _stats(runs: Sequence[ScoredRun], items: int, missing: int) -> Stats:
    names = " and ".join(run.name for run in runs)
    waiting = [run.name for run in runs if not run.state.finished]
    note = f" Not every item was asked yet: {', '.join(waiting)}." if waiting else ""
    return Stats(
        title=f"Scores of {names}" if len(runs) < 3 else f"Scores of {len(runs)} runs",
        summary=f"{items:,} items, {len(runs)} {'run' if len(runs) == 1 else 'runs'}.{note}",
        package="lingshu-medevalkit",
        version=version("lingshu-medevalkit"),
        command=_COMMAND,
        counts={"items": items, "runs": len(runs), "pictures_not_shown": missing},
    )


def _page(runs: Sequence[ScoredRun], stats: Stats) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("medevalkit.page"), autoescape=True, trim_blocks=True
    )
    seen: dict[str, Any] = {
        "total": stats.counts["items"],
        "labels": LABELS,
        "runs": [run.name for run in runs],
        "lenses": lenses(runs),
        "rows": chart_rows(runs),
    }
    return environment.get_template("report.html.j2").render(
        stats=stats, missing=stats.counts["pictures_not_shown"], tables=tables(runs), seen=seen
    )
