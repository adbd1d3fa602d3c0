"""Rows of JSON arrays, JSON objects and JSON lines, read without holding the file."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from lingshu_data.reader import Broken, Entry, Reader, Row, matching
from lingshu_data.readers.table import split_of

_BLOCK = 1 << 20
_SPACE = " \t\r\n"


@dataclass(frozen=True)
class JsonRows(Reader):
    """Objects in JSON files: `.jsonl` holds one a line, `.json` an array or an object of them."""

    files: tuple[str, ...]
    """Patterns below the root."""
    key: str = "key"
    """The column that takes the name of a row where the file is an object of rows."""
    splits: Mapping[str, str] | None = None
    """What a row's `split` is, by a part of the file's name."""
    lines: bool = False
    """Whether a `.json` file holds one object a line all the same."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The files."""
        return self.files

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the objects of all files."""
        for pattern in self.files:
            for path in matching(root, pattern):
                name = path.relative_to(root).as_posix()
                extra = split_of(name, self.splits)
                by_line = self.lines or path.suffix == ".jsonl"
                items = _lines(path) if by_line else array_items(path, self.key)
                for number, value in items:
                    place = f"{name}:{number}"
                    if isinstance(value, dict):
                        yield Row({**value, **extra}, place)
                    else:
                        reason = value if isinstance(value, str) else "is no JSON object"
                        yield Broken(place, reason)


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8", errors="backslashreplace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                yield number, f"is no JSON: {error.msg}"


def array_items(path: Path, key: str = "key") -> Iterator[tuple[int, Any]]:
    """Yields the items of an array, or the members of an object with their names in a column."""
    with path.open(encoding="utf-8-sig", errors="backslashreplace") as file:
        stream = _Stream(file)
        opening = stream.next_mark()
        if opening not in {"[", "{"}:
            yield 1, "is neither a JSON array nor an object"
            return
        number = 0
        while stream.peek() not in {"]", "}", ""}:
            number += 1
            try:
                name = stream.member() if opening == "{" else None
                value = stream.value()
            except json.JSONDecodeError as error:
                # Behind a broken item nothing tells where the next begins.
                yield number, f"is no JSON, and the rest of the file is lost: {error.msg}"
                return
            if name is not None:
                value = {key: name, **(value if isinstance(value, dict) else {"value": value})}
            yield number, value
            if stream.peek() == ",":
                stream.next_mark()
        if stream.peek() == "":
            yield number + 1, "the file ends before its list does"


class _Stream:
    """JSON values out of a text that is read block by block."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._place = 0
        self._decoder = json.JSONDecoder()

    def peek(self) -> str:
        """Returns the next character that is no space, without taking it; empty at the end."""
        while True:
            while self._place < len(self._text) and self._text[self._place] in _SPACE:
                self._place += 1
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._more():
                return ""

    def next_mark(self) -> str:
        """Takes one character."""
        mark = self.peek()
        self._place += 1
        return mark

    def member(self) -> str:
        """Takes the name of an object's member and the colon."""
        name = str(self.value())
        self.next_mark()
        return name

    def value(self) -> Any:
        """Takes one value; JSONDecodeError where it is broken."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._place)
            except json.JSONDecodeError:
                if not self._more():
                    raise
                continue
            # A number may go on in the next block.
            if end == len(self._text) and self._more():
                continue
            self._place = end
            return value

    def _more(self) -> bool:
        # Twice as much each time, so that a long value is not parsed again for every block.
        block = self._file.read(max(_BLOCK, len(self._text) - self._place))
        self._text = self._text[self._place :] + block
        self._place = 0
        return bool(block)


READER = JsonRows
