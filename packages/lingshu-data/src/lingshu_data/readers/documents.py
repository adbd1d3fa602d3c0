"""One text file a row: XML, transcripts, reports."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_data.reader import Broken, Entry, Reader, Row, matching
from lingshu_data.readers.table import split_of

_MOST_BYTES = 16 << 20


@dataclass(frozen=True)
class Documents(Reader):
    """Text files; a row has `path` and `text`, and is read in the worker."""

    files: tuple[str, ...]
    """Patterns below the root."""
    splits: Mapping[str, str] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The files."""
        return self.files

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the paths."""
        for pattern in self.files:
            for path in matching(root, pattern):
                yield path.relative_to(root).as_posix()

    def rows(self, root: Path, entries: Sequence[Entry]) -> Iterator[Row | Broken]:
        """Yields the texts."""
        for name in entries:
            path = root / name
            if path.stat().st_size > _MOST_BYTES:
                yield Broken(name, f"is larger than {_MOST_BYTES >> 20} MiB")
                continue
            text = path.read_bytes().decode("utf-8-sig", errors="backslashreplace")
            yield Row({"path": name, "text": text, **split_of(name, self.splits)}, name)


READER = Documents
