"""DICOM files as series, in the order of their slices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from lingshu_core.errors import DataError
from lingshu_data.dicom import Header, read_header
from lingshu_data.reader import Broken, Entry, Reader, Row, matching


@dataclass(frozen=True)
class DicomSeries(Reader):
    """Series of DICOM files that lie in one folder.

    A row has `files` in the order of the slices, `series` (to be hashed, not to be kept) and the
    allowed fields of the first header; nothing else of a header leaves this reader.
    """

    files: str = "**/*.dcm"

    @property
    def batch(self) -> int:
        """An entry is a folder with all its series."""
        return 4

    @property
    def needs(self) -> tuple[str, ...]:
        """The files."""
        return (self.files,)

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the files of every folder."""
        for _, paths in groupby(matching(root, self.files), key=lambda path: path.parent):
            yield tuple(path.relative_to(root).as_posix() for path in paths)

    def rows(self, root: Path, entries: Sequence[Entry]) -> Iterator[Row | Broken]:
        """Yields the series of every folder."""
        for names in entries:
            headers: list[Header] = []
            for name in names:
                try:
                    headers.append(read_header(root / name, name))
                except DataError as error:
                    yield Broken(name, error.message)
            headers.sort(key=lambda header: (header.series, header.place, header.path))
            for series, found in groupby(headers, key=lambda header: header.series):
                mine = list(found)
                files = [header.path for header in mine]
                yield Row({**mine[0].fields, "files": files, "series": series}, files[0])


READER = DicomSeries
