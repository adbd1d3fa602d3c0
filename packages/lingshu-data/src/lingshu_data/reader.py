"""The interface of the readers: how rows lie in the files of a dataset.

A reader lists `entries` in one process, cheaply, and opens them as `rows` in the workers. For most
the entry is the row itself; where rows carry pictures, the entry only says where they lie.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_core.errors import DataError
from lingshu_core.registry import Registry


@dataclass(frozen=True)
class Row:
    """One raw row, as its publisher wrote it."""

    values: Mapping[str, Any]
    place: str
    """File and line or item, for messages: `train.csv:17`."""

    def text(self, column: str) -> str:
        """Returns a column as text without white space around it; DataError where it is empty."""
        found = self.maybe(column)
        if found is None:
            raise DataError("is empty or missing", field=column)
        return found

    def maybe(self, column: str) -> str | None:
        """Returns a column as text, or None where it is missing or empty."""
        value = self.values.get(column)
        # A parquet file writes a gap as a number that is not equal to itself.
        if value is None or (isinstance(value, float) and value != value):
            return None
        return str(value).strip() or None

    def filled(self, text: str | None) -> str | None:
        """Returns a text with columns filled in (`{Image Index}`); None where one is empty."""
        if text is None:
            return None
        try:
            return text.format_map(_Columns(self))
        except KeyError:
            return None


class _Columns(dict[str, str]):
    """The columns that a text asks for; a picture beside them is never turned into text."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        self._row = row

    def __missing__(self, name: str) -> str:
        value = self._row.maybe(name)
        if value is None:
            raise KeyError(name)
        return value


@dataclass(frozen=True)
class Broken:
    """What should have been a row and could not be read."""

    place: str
    reason: str


Entry = Any
"""Whatever a reader puts on its list; small, and it can be pickled."""


class Reader(ABC):
    """How the rows of a dataset lie in its files."""

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Patterns below the root, each of which has to match a file."""

    def at(self, root: Path) -> "Reader":
        """Returns the reader for what lies in a folder: itself, where there is but one layout."""
        return self

    @abstractmethod
    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the entries in a stable order; a broken one as `Broken`, and goes on.

        Args:
            root: Folder of the dataset.
            settings: The source's settings.
        """

    @property
    def batch(self) -> int:
        """How many entries make a shard: some seconds of work."""
        return 256

    def rows(self, root: Path, entries: Sequence[Entry]) -> Iterator[Row | Broken]:
        """Opens some of the entries, in a worker."""
        yield from entries


READERS = Registry("lingshu_data.readers", "lingshu_data.readers", "READER", type)


def matching(root: Path, pattern: str) -> list[Path]:
    """Returns the files below a root that match a pattern, in the order of their names.

    Raises:
        DataError: None does; the message names the pattern.
    """
    found = sorted(path for path in root.glob(pattern) if path.is_file())
    if not found:
        raise DataError(f"lacks {pattern!r}, which this dataset has", path=root)
    return found
