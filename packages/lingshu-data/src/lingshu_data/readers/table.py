"""Rows of CSV and TSV files, also gzipped; a broken quote costs its row and no other."""

import csv
import gzip
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from lingshu_data.reader import Broken, Entry, Reader, Row, matching

_GAPS = {"nan", "NaN"}
"""How tables that a program has written mark a gap."""
_MOST_LINES = 2000
_MOST_BYTES = 1 << 20
"""A cell that goes on for longer than this was never closed."""


@dataclass(frozen=True)
class Table(Reader):
    """Delimited text, one row a record.

    A quote that is never closed would swallow the rest of the file: the line where it opens is
    then given as broken and reading goes on with the next line.
    """

    files: tuple[str, ...]
    """Patterns below the root."""
    delimiter: str = ","
    columns: tuple[str, ...] = ()
    """Names of the columns where the file has no header."""
    quotes: bool = True
    """Whether `"` encloses cells."""
    splits: Mapping[str, str] | None = None
    """What a row's `split` is, by a part of the file's name: `{"valid": "validation"}`."""
    skip: int = 0
    """Lines before the first row that are passed over, such as a header that misleads."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The files."""
        return self.files

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the rows of all files."""
        for pattern in self.files:
            for path in matching(root, pattern):
                yield from self._file(path, path.relative_to(root).as_posix())

    def _file(self, path: Path, name: str) -> Iterator[Row | Broken]:
        last = 0
        try:
            with _text(path) as file:
                for line, row in self._rows_of(file, name):
                    last = line
                    yield row
        except (EOFError, OSError, zlib.error) as error:
            yield Broken(f"{name}:{last + 1}", f"the file cannot be read on from here: {error}")

    def _rows_of(self, file: TextIO, name: str) -> Iterator[tuple[int, Row | Broken]]:
        extra = split_of(name, self.splits)
        header = self.columns
        for _ in range(self.skip):
            file.readline()
        for line, cells in self._records(file):
            place = f"{name}:{line}"
            if isinstance(cells, str):
                yield line, Broken(place, cells)
            elif not header:
                header = tuple(cell.strip().removeprefix("\ufeff") for cell in cells)
            elif len(cells) != len(header):
                reason = f"has {len(cells)} cells where there are {len(header)}"
                yield line, Broken(place, reason)
            else:
                filled = (None if cell in _GAPS else cell for cell in cells)
                yield line, Row({**dict(zip(header, filled, strict=True)), **extra}, place)

    def _records(self, file: TextIO) -> Iterator[tuple[int, list[str] | str]]:
        """Yields line number and cells of every record, or what is wrong with it."""
        ahead: deque[str] = deque()
        number = 0
        while line := ahead.popleft() if ahead else file.readline():
            number += 1
            if not line.strip():
                continue
            if not self.quotes:
                yield number, line.rstrip("\r\n").split(self.delimiter)
                continue
            more = _until_closed(line, ahead, file)
            if more is None:
                yield number, "a quote is opened and never closed"
                continue
            try:
                cells = next(
                    csv.reader([line + "".join(more)], delimiter=self.delimiter, strict=True)
                )
            except csv.Error as error:
                # What follows may have been drawn in by a stray quote: it is read again.
                ahead.extendleft(reversed(more))
                yield number, f"cannot be parsed: {error}"
                continue
            yield number, cells
            number += len(more)


def _until_closed(line: str, ahead: deque[str], file: TextIO) -> list[str] | None:
    """Returns the lines that a record goes on for; None, and reads none, where it never ends."""
    more: list[str] = []
    size, quotes = len(line), line.count('"')
    while quotes % 2:
        following = ahead.popleft() if ahead else file.readline()
        if following:
            more.append(following)
            size += len(following)
            quotes += following.count('"')
        if not following or len(more) > _MOST_LINES or size > _MOST_BYTES:
            ahead.extendleft(reversed(more))
            return None
    return more


def _text(path: Path) -> TextIO:
    # Publishers' tables are mostly UTF-8; a byte that is not is kept visible rather than fatal.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="backslashreplace", newline="")
    return path.open(encoding="utf-8", errors="backslashreplace", newline="")


def split_of(name: str, splits: Mapping[str, str] | None) -> dict[str, str]:
    """Returns the split that a file's name tells, as a column."""
    for part, split in (splits or {}).items():
        if part in name:
            return {"split": split}
    return {}


READER = Table
