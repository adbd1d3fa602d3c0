"""The keys of a shard, column after column in one file, so that a column is read by itself."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

Columns = Sequence[tuple[Any, ...]]
"""Columns as numpy names the fields of a row: name, type, and the width of a wide one."""


def write_keys(path: Path, columns: Columns, rows: Sequence[tuple[Any, ...]]) -> None:
    """Writes rows of keys; a wide column is turned, so that each of its parts lies together."""
    table = np.array(rows, np.dtype([tuple(column) for column in columns]))
    with path.open("wb") as file:
        for name in table.dtype.names or ():
            # Not by `tofile`, whose errors do not tell a full disk from anything else.
            file.write(np.ascontiguousarray(table[name].T).data)


def save_array(path: Path, array: np.ndarray) -> None:
    """Writes an array for `np.load`; an error says what the file system refused."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    path.write_bytes(buffer.getbuffer())


def read_column(path: Path, columns: Columns, name: str, part: int | None = None) -> np.ndarray:
    """Reads one column of every row, or one part of a wide one.

    Returns:
        The column (n,), or (n, width) of a wide one without `part`.
    """
    row = np.dtype([tuple(column) for column in columns])
    count = path.stat().st_size // row.itemsize if row.itemsize else 0
    fields: Any = row.fields
    kind, start = fields[name][:2]
    width = int(np.prod(kind.shape, dtype=int))
    first = 0 if part is None else part
    number = width if part is None else 1
    offset = start * count + first * count * kind.base.itemsize
    values = np.fromfile(path, kind.base, number * count, offset=offset)
    if part is not None or not kind.shape:
        return values
    return np.ascontiguousarray(values.reshape(width, count).T)
