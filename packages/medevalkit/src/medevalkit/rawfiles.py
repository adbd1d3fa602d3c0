"""Files as publishers hand them out: JSON, JSON lines, CSV, parquet."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lingshu_core.errors import DataError
from medevalkit.extras import needed

csv.field_size_limit(1 << 30)


def find(folder: Path, *patterns: str) -> list[Path]:
    """Returns the files of the first pattern that has any, sorted; [] where none has."""
    for pattern in patterns:
        found = sorted(path for path in folder.glob(pattern) if path.is_file())
        if found:
            return found
    return []


def require(folder: Path, *patterns: str) -> list[Path]:
    """Returns the files of the first pattern that has any; DataError that names them all."""
    found = find(folder, *patterns)
    if not found:
        raise DataError(f"holds none of: {', '.join(patterns)}", path=folder)
    return found


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the rows of a file by its ending: .json (a list), .jsonl, .csv, .parquet.

    A `.json` file may hold JSON lines as well, as some publishers name them.
    """
    if path.suffix == ".parquet":
        yield from _parquet(path)
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
    else:
        yield from _json(path)


def read_json(path: Path) -> Any:
    """Returns what a JSON file holds; DataError where it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        line = getattr(error, "lineno", None)
        raise DataError(f"is no JSON: {error}", path=path, line=line) from None


def _json(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        array = file.read(64).lstrip().startswith(b"[")
    if array:
        yield from read_json(path)
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except ValueError as error:
                raise DataError(f"is no JSON: {error}", path=path, line=number) from None


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    parquet = needed("pyarrow.parquet", extra="hub")
    for batch in parquet.ParquetFile(path).iter_batches(256):
        yield from batch.to_pylist()
