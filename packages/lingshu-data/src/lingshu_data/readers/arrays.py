"""Pictures and labels as rows of `.npy` arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lingshu_core.errors import DataError
from lingshu_data.reader import Broken, Entry, Reader, Row, matching


@dataclass(frozen=True)
class Arrays(Reader):
    """Pictures stacked in an array; a row has `pixels` (an array), `split` and its labels."""

    pictures: str
    """Pattern of the arrays of pictures, with `{split}`."""
    labels: tuple[tuple[str, str], ...]
    """Name of a column, and pattern of its array, with `{split}`."""
    splits: tuple[tuple[str, str], ...]
    """What stands for `{split}` in a file's name, and the split."""
    layers: tuple[tuple[str, str], ...] = ()
    """Name of a column, and pattern of an array of masks, with `{split}`."""

    @property
    def needs(self) -> tuple[str, ...]:
        """All arrays."""
        patterns = (self.pictures, *(pattern for _, pattern in (*self.labels, *self.layers)))
        return tuple(p.replace("{split}", name) for name, _ in self.splits for p in patterns)

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields split and place of every picture."""
        for name, split in self.splits:
            try:
                pictures = _open(root, self.pictures.replace("{split}", name))
            except DataError as error:
                yield Broken(self.pictures.replace("{split}", name), error.message)
                continue
            for index in range(len(pictures)):
                yield name, split, index

    def rows(self, root: Path, entries: Sequence[Entry]) -> Iterator[Row | Broken]:
        """Yields the pictures with their labels."""
        for entry in entries:
            if isinstance(entry, Broken):
                yield entry
                continue
            name, split, index = entry
            place = f"{self.pictures.replace('{split}', name)}[{index}]"
            try:
                values: dict[str, Any] = {
                    column: _open(root, pattern.replace("{split}", name))[index].item()
                    for column, pattern in self.labels
                }
                for column, pattern in self.layers:
                    values[column] = np.array(_open(root, pattern.replace("{split}", name))[index])
            except (IndexError, ValueError, DataError) as error:
                yield Broken(place, f"has no label: {error}")
                continue
            pixels = np.array(_open(root, self.pictures.replace("{split}", name))[index])
            yield Row({**values, "pixels": pixels, "split": split, "index": index}, place)


def _open(root: Path, pattern: str) -> np.ndarray:
    (path,) = matching(root, pattern)[:1]
    try:
        return np.asanyarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (ValueError, OSError) as error:
        raise DataError(f"is no array that can be read safely: {error}", path=path) from None


READER = Arrays
