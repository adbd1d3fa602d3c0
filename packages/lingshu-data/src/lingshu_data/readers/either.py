"""A dataset that is passed on in more than one layout."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lingshu_data.reader import Broken, Entry, Reader, Row


@dataclass(frozen=True)
class Renamed(Reader):
    """Another reader whose columns get the names that the source knows."""

    reader: Reader
    names: Mapping[str, str]
    """Name in the files, and name in the rows."""

    @property
    def needs(self) -> tuple[str, ...]:
        """What the reader needs."""
        return self.reader.needs

    @property
    def batch(self) -> int:
        """That of the reader."""
        return self.reader.batch

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the entries of the reader."""
        return self.reader.entries(root, settings)

    def rows(self, root: Path, entries: Sequence[Entry]) -> Iterator[Row | Broken]:
        """Yields the rows with their columns renamed."""
        for row in self.reader.rows(root, entries):
            if isinstance(row, Row):
                row = replace(row, values={self.names.get(k, k): v for k, v in row.values.items()})
            yield row


@dataclass(frozen=True)
class Either(Reader):
    """The first of several readers whose files are all there."""

    readers: Sequence[Reader] = field(default=())

    @property
    def needs(self) -> tuple[str, ...]:
        """What the first layout needs; the others are found by looking."""
        return self.readers[0].needs

    def at(self, root: Path) -> Reader:
        """Returns the reader for what lies in a folder; the first where none fits."""
        for reader in self.readers:
            if all(any(root.glob(pattern)) for pattern in reader.needs):
                return reader
        return self.readers[0]

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the entries of the layout that is there."""
        return self.at(root).entries(root, settings)

    def rows(self, root: Path, entries: Sequence[Entry]) -> Iterator[Row | Broken]:
        """Yields the rows of the layout that is there."""
        return self.at(root).rows(root, entries)


@dataclass(frozen=True)
class Several(Reader):
    """The rows of several readers, one after the other."""

    readers: Sequence[Reader]

    @property
    def batch(self) -> int:
        """That of the slowest."""
        return min(reader.batch for reader in self.readers)

    @property
    def needs(self) -> tuple[str, ...]:
        """What all of them need."""
        return tuple(pattern for reader in self.readers for pattern in reader.needs)

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the entries of each, with its number."""
        for number, reader in enumerate(self.readers):
            for entry in reader.entries(root, settings):
                yield number, entry

    def rows(self, root: Path, entries: Sequence[Entry]) -> Iterator[Row | Broken]:
        """Yields the rows of each."""
        for number, entry in entries:
            yield from self.readers[number].rows(root, (entry,))


READER = Either
