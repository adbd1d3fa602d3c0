"""`lingshu-data sources`: the cards, as a table or one in full."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from lingshu_core.errors import SettingsError
from lingshu_core.recipe import nearest
from lingshu_data.reader import Reader
from lingshu_data.source import PART_OF, SOURCES, Source

_COLUMNS = ("name", "table", "part", "access", "licence", "size")
_TABLE = {
    "captions": "1",
    "instruction": "1",
    "text": "2",
    "imaging": "3",
    "general": "5",
    "rl": "5",
}
"""Of the paper, by part; section 2.1.3 lists the general domain in words, Table 5 in a table."""
_WIDEST = 44


def listing(part: str = "") -> Iterator[str]:
    """Yields the lines of a table of all sources, or of one part of the paper's collection."""
    if part and part not in PART_OF:
        raise SettingsError(f"{part!r} is no part of the collection{nearest(part, PART_OF)}")
    rows = [_COLUMNS]
    for name, source in _sorted(part):
        card = source.card
        tables = ", ".join(sorted({_TABLE[key] for key in card.part if key in _TABLE})) or "-"
        parts = ", ".join(card.part)
        what = (_cut(card.licence), _cut(card.size))
        rows.append((shown(name), tables, parts, card.access, *what))
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    for row in rows:
        cells_of = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells_of).rstrip()


def card_lines(name: str) -> Iterator[str]:
    """Yields the lines of one card, with the settings that `--set` takes."""
    source = SOURCES.get(name)
    for key, value in asdict(source.card).items():
        if key == "part":
            value = "; ".join(PART_OF[part] for part in value)
        if value is not None:
            yield f"{key.replace('_', ' ')}: {value}"
    yield f"read by: {', '.join(_readers(source.reader))}"
    yield f"columns: {', '.join(source.example)}"
    for pattern in (*source.reader.needs, *source.expects):
        yield f"needs: {pattern}"
    for key, field in source.settings.model_fields.items():
        about = " ".join((field.description or "").split())
        yield f"set {key}={field.default}: {about}"


def as_json(part: str = "") -> str:
    """Returns all cards as JSON, by name."""
    return json.dumps(
        {shown(name): asdict(source.card) for name, source in _sorted(part)}, indent=2
    )


def shown(name: str) -> str:
    """Returns a source's name as people write it."""
    return name.replace("_", "-")


def _readers(reader: Reader) -> list[str]:
    """Returns the names of a reader and of those it is made of, each once."""
    inner = [value for value in vars(reader).values() if isinstance(value, Reader)]
    inner += getattr(reader, "readers", ())
    found = [type(reader).__name__, *(name for part in inner for name in _readers(part))]
    return list(dict.fromkeys(found))


def _sorted(part: str) -> list[tuple[str, Source]]:
    order = list(PART_OF)
    found = [(name, source) for name, source in SOURCES.items() if part in {"", *source.card.part}]
    return sorted(found, key=lambda item: (order.index(item[1].card.part[0]), item[0]))


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
