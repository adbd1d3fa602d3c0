"""Pages: the panels of one or many commands as HTML that needs no network."""

import base64
import math
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Literal

from lingshu_core import charts
from lingshu_core.errors import DataError
from lingshu_core.files import link_or_copy, resolve_inside, write_atomic
from lingshu_core.panels import (
    Bars,
    Cell,
    Flow,
    Gallery,
    Lines,
    Panel,
    Picture,
    Radar,
    Stats,
)

PAGE_NAME = "index.html"
SCRIPT_NAME = "plotly.min.js"
_NONE = "\N{EN DASH}"
_CHARTS = (Lines, Bars, Radar, Flow)


@dataclass(frozen=True)
class Section:
    """One command's part of a page."""

    stats: Stats
    folder: Path
    """Where the pictures of its galleries start."""
    facts: dict[str, str] = field(default_factory=dict)
    """Small print: time taken, memory, the command."""


def write_page(
    out: Path,
    *,
    title: str,
    lead: str,
    sections: Sequence[Section],
    script: Literal["beside", "inline"] = "beside",
) -> None:
    """Writes a page.

    Args:
        out: The HTML file.
        title: Heading of the page.
        lead: A sentence or two below it.
        sections: In the order in which they are shown.
        script: Whether the chart library lies beside the page, shared by all pages of the folder,
            or in it (4 MB), so that the page is one file.

    Raises:
        DataError: A picture of a gallery is missing or lies outside its folder.
    """
    has_charts = any(isinstance(p, _CHARTS) for s in sections for p in s.stats.panels)
    text = _template().render(
        title=title,
        lead=lead,
        sections=[_section(section, number) for number, section in enumerate(sections)],
        script=_script() if has_charts and script == "inline" else None,
        script_file=SCRIPT_NAME if has_charts and script == "beside" else None,
    )
    if has_charts and script == "beside":
        with as_file(files("plotly").joinpath("package_data", SCRIPT_NAME)) as path:
            link_or_copy(path, out.parent / SCRIPT_NAME)
    write_atomic(out, text)


@cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lingshu_core"), autoescape=True, trim_blocks=True
    )
    environment.filters["shown"] = shown
    return environment.get_template("page.html.j2")


def shown(cell: Cell) -> str:
    """Returns a figure as people read it: `12,345`, `0.988`, `1.5e-05`, a dash for none."""
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return _NONE
    if isinstance(cell, float):
        size = abs(cell)
        pattern = ".1e" if 0 < size < 0.001 else ".3f" if size < 100 else ",.1f"
        return format(cell, pattern)
    return f"{cell:,}" if isinstance(cell, int) else cell


def publish(folder: Path, stats: Stats) -> None:
    """Writes a command's `stats.json` and its page beside each other."""
    stats.write(folder)
    write_page(
        folder / PAGE_NAME,
        title=stats.title,
        lead=stats.summary,
        sections=[Section(stats.model_copy(update={"title": "", "summary": ""}), folder)],
    )


def _script() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _section(section: Section, number: int) -> dict[str, Any]:
    return {
        "anchor": f"section-{number}",
        "title": section.stats.title,
        "summary": section.stats.summary,
        "facts": section.facts,
        "panels": [
            _panel(panel, section.folder, f"chart-{number}-{index}")
            for index, panel in enumerate(section.stats.panels)
        ],
    }


def _panel(panel: Panel, folder: Path, name: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"panel": panel, "kind": panel.kind}
    if isinstance(panel, _CHARTS):
        shown |= {"kind": "chart", "name": name, "chart": charts.figure(panel)}
    if isinstance(panel, Gallery):
        shown["pictures"] = [_picture(picture, folder) for picture in panel.pictures]
    return shown


def _picture(picture: Picture, folder: Path) -> dict[str, str]:
    path = resolve_inside(folder, picture.path)
    if not path.is_file():
        raise DataError(f"there is no picture {picture.path!r}", path=folder)
    kind = mimetypes.guess_type(path.name)[0] or "image/png"
    data = base64.b64encode(path.read_bytes()).decode()
    return {
        "source": f"data:{kind};base64,{data}",
        "caption": picture.caption,
        "badge": picture.badge,
    }
