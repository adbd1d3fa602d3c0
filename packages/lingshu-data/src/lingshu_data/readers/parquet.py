"""Parquet files as the Hugging Face hub has them, pictures embedded as bytes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_core.errors import DataError
from lingshu_data.reader import Broken, Entry, Reader, Row, matching
from lingshu_data.readers.table import split_of

_ROWS = 32
"""Rows read at a time: with pictures some megabytes."""


@dataclass(frozen=True)
class Parquet(Reader):
    """Rows of parquet files; a picture is a dictionary with `bytes`."""

    files: tuple[str, ...]
    """Patterns below the root."""
    splits: Mapping[str, str] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The files."""
        return self.files

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields file, row group and number of every row; nothing of its content."""
        for pattern in self.files:
            for path in matching(root, pattern):
                name = path.relative_to(root).as_posix()
                try:
                    file = _open(path)
                except DataError as error:
                    yield Broken(name, error.message)
                    continue
                for group in range(file.num_row_groups):
                    for number in range(file.metadata.row_group(group).num_rows):
                        yield name, group, number

    def rows(self, root: Path, entries: Sequence[Entry]) -> Iterator[Row | Broken]:
        """Yields the rows, reading each row group once."""
        wanted: dict[tuple[str, int], list[int]] = {}
        for entry in entries:
            if isinstance(entry, Broken):
                yield entry
                continue
            name, group, number = entry
            wanted.setdefault((name, group), []).append(number)
        for (name, group), numbers in wanted.items():
            yield from self._group(root, name, group, numbers)

    def _group(
        self, root: Path, name: str, group: int, numbers: list[int]
    ) -> Iterator[Row | Broken]:
        import pyarrow as pa

        extra = split_of(name, self.splits)
        start = 0
        try:
            for batch in _open(root / name).iter_batches(_ROWS, row_groups=[group]):
                mine = [n - start for n in numbers if start <= n < start + len(batch)]
                for place, values in zip(
                    mine, batch.take(pa.array(mine, pa.int64())).to_pylist(), strict=True
                ):
                    yield Row({**values, **extra}, f"{name}:{group}/{start + place}")
                start += len(batch)
        except (pa.ArrowException, OSError, DataError) as error:
            for number in numbers:
                if number >= start:
                    yield Broken(f"{name}:{group}/{number}", f"the row group is damaged: {error}")


def _open(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        return parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"is no parquet file: {error}", path=path) from None


READER = Parquet
