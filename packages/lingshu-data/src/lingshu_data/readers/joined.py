"""Rows of one table with the matching rows of another; the other is held in memory."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lingshu_data.reader import Broken, Entry, Reader, Row


@dataclass(frozen=True)
class Joined(Reader):
    """Another reader's rows, each with a list of the rows that match in a further column."""

    main: Reader
    other: Reader
    """Held while rows are listed: some hundred bytes a row."""
    on: tuple[str, str]
    """The column of the main rows and that of the others which have to be equal."""
    column: str
    """Where the list of matching rows goes."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The files of both."""
        return (*self.main.needs, *self.other.needs)

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the main rows with what matches."""
        mine, theirs = self.on
        known: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.other.rows(root, tuple(self.other.entries(root, settings))):
            if isinstance(row, Row) and (key := row.maybe(theirs)) is not None:
                known[key].append(dict(row.values))
            elif isinstance(row, Broken):
                yield row
        for row in self.main.entries(root, settings):
            if isinstance(row, Row):
                found = known.get(row.maybe(mine) or "", [])
                row = replace(row, values={**row.values, self.column: found})
            yield row

    def rows(self, root: Path, entries: Sequence[Entry]) -> Iterator[Row | Broken]:
        """Yields the rows, which were joined when they were listed."""
        yield from entries


READER = Joined
