"""What a command shows of its work: figures, tables, curves and pictures, as data.

Every command writes `stats.json` beside its output; `page.py` renders one or many of them, so
that all pages of the workspace look alike and no package draws by itself.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lingshu_core.errors import DataError
from lingshu_core.files import write_atomic

STATS_NAME = "stats.json"

Cell = str | int | float | None


class _Panel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    title: str = ""
    note: str = ""
    """A sentence below the title: what to look for."""
    wide: bool = False
    """Whether it takes the whole width of the page."""


class Facts(_Panel):
    """A few figures that matter most, with their names."""

    kind: Literal["facts"] = "facts"
    facts: dict[str, Cell]


class Table(_Panel):
    """Rows and columns."""

    kind: Literal["table"] = "table"
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Series(BaseModel):
    """One curve, or one set of bars."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    x: tuple[float | str, ...]
    y: tuple[float | None, ...]


class Lines(_Panel):
    """Curves over a common axis."""

    kind: Literal["lines"] = "lines"
    x: str
    y: str
    series: tuple[Series, ...]
    log_y: bool = False


class Bars(_Panel):
    """Bars over categories."""

    kind: Literal["bars"] = "bars"
    x: str = ""
    y: str = ""
    series: tuple[Series, ...]
    stacked: bool = False
    horizontal: bool = False


class Radar(_Panel):
    """Several scores of several things around a circle."""

    kind: Literal["radar"] = "radar"
    series: tuple[Series, ...]
    greatest: float = 1.0


class Flow(_Panel):
    """How many records went from where to where (a Sankey diagram)."""

    kind: Literal["flow"] = "flow"
    links: tuple[tuple[str, str, float], ...]
    """From, to, how many."""


class Picture(BaseModel):
    """A picture of a gallery; small, since the page holds it inline."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    path: str
    """Relative to the folder of `stats.json`."""
    caption: str = ""
    badge: str = ""
    """A word or two above the caption: the modality, the reason for dropping."""


class Gallery(_Panel):
    """Pictures side by side."""

    kind: Literal["gallery"] = "gallery"
    pictures: tuple[Picture, ...]


class Prose(_Panel):
    """Some paragraphs of plain text."""

    kind: Literal["prose"] = "prose"
    text: str


class Marked(_Panel):
    """A text whose passages are told apart by colour."""

    kind: Literal["marked"] = "marked"
    passages: tuple[tuple[str, Literal["plain", "strong", "soft", "label"]], ...]
    """In order, each with how it is shown: `strong` stands out, `soft` steps back, `label` is a
    word of the page's own between them."""


Panel = Annotated[
    Facts | Table | Lines | Bars | Radar | Flow | Gallery | Prose | Marked,
    Field(discriminator="kind"),
]


class Stats(BaseModel):
    """What `stats.json` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    title: str
    """A heading for people: `Curation of nano`."""
    summary: str = ""
    """One or two sentences for people."""
    package: str
    version: str
    command: str
    seconds: float = 0.0
    counts: dict[str, int] = {}
    """Records in, out, dropped by reason: machine-readable, exact."""
    figures: dict[str, float | None] = {}
    """What else a script may want: losses, rates, scores; None where a figure is no number."""
    panels: tuple[Panel, ...] = ()

    def write(self, folder: Path) -> None:
        """Writes `stats.json` into a folder."""
        write_atomic(folder / STATS_NAME, self.model_dump_json(indent=2) + "\n")


def read_stats(folder: Path) -> Stats:
    """Reads the `stats.json` of a folder; DataError where it is missing or broken."""
    path = folder / STATS_NAME
    try:
        return Stats.model_validate_json(path.read_bytes())
    except OSError:
        raise DataError(f"has no {STATS_NAME}", path=folder) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(step) for step in first["loc"])
        raise DataError(first["msg"], path=path, field=field) from None
