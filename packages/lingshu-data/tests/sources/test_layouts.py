"""Every dataset's reader finds in files laid out as the card says what the example row shows."""

import csv
import gzip
import io
import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from lingshu_core.errors import DataError
from lingshu_data.ingest import ingest
from lingshu_data.reader import Reader, Row
from lingshu_data.readers.arrays import Arrays
from lingshu_data.readers.documents import Documents
from lingshu_data.readers.either import Either, Renamed, Several
from lingshu_data.readers.joined import Joined
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.readers.parquet import Parquet
from lingshu_data.readers.table import Table
from lingshu_data.settings import Running
from lingshu_data.source import SOURCES
from lingshu_data.sources.apollo_corpus import Pairs

ALL = dict(SOURCES.items())
Values = Mapping[str, Any]

pytestmark = pytest.mark.slow


def lay(reader: Reader, row: Values, root: Path) -> list[Path]:
    """Writes one raw row into every file that a reader looks for.

    Returns:
        The pictures and other files that the row names, which are left to be written.
    """
    if isinstance(reader, Either | Several):
        return lay(reader.readers[0], row, root)
    if isinstance(reader, Renamed):
        back = {ours: theirs for theirs, ours in reader.names.items()}
        return lay(reader.reader, {back.get(k, k): value for k, value in row.items()}, root)
    if isinstance(reader, Joined):
        mine, theirs = reader.on
        for other in row[reader.column]:
            lay(reader.other, {theirs: row[mine], **other}, root)
        return lay(reader.main, row, root)
    if isinstance(reader, Table | JsonRows | Parquet):
        for pattern in reader.files:
            path = root / some_name(pattern)
            path.parent.mkdir(parents=True, exist_ok=True)
            write(reader, row, path)
        return []
    if isinstance(reader, Arrays):
        stacks = (("pixels", reader.pictures), *reader.labels, *reader.layers)
        for (column, pattern), (split, _) in itertools.product(stacks, reader.splits):
            path = root / some_name(pattern.replace("{split}", split))
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, np.asarray([row[column]]))
        return []
    if isinstance(reader, Documents | Pairs):
        path = root / row.get("path", f"train/sft/{row.get('file')}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(row.get("text") or json.dumps([row["texts"]]), encoding="utf-8")
        return []
    return [root / name for name in (row["path"], *row.get("masks", ()))]


def some_name(pattern: str) -> str:
    """Returns a path that a pattern matches."""
    pattern = re.sub(r"\[!.\]", "-", pattern.replace("**/", ""))
    return re.sub(r"\[(.).*?\]", r"\1", pattern).replace("*", "-")


def write(reader: Table | JsonRows | Parquet, row: Values, path: Path) -> None:
    if isinstance(reader, Parquet):
        parquet.write_table(pa.Table.from_pylist([dict(row)]), path)
    elif isinstance(reader, JsonRows):
        by_line = path.suffix == ".jsonl" or reader.lines
        path.write_text(json.dumps(row if by_line else [row]), encoding="utf-8")
    else:
        plain = {name: value for name, value in row.items() if isinstance(value, str | int | float)}
        names = reader.columns or tuple(plain)
        text = io.StringIO()
        quoting = csv.QUOTE_MINIMAL if reader.quotes else csv.QUOTE_NONE
        table = csv.writer(text, delimiter=reader.delimiter, quoting=quoting)
        heads = [("passed over",)] * reader.skip + ([] if reader.columns else [names])
        table.writerows([*heads, [plain.get(name, "") for name in names]])
        data = text.getvalue().encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def agree(read: Any, shown: Any) -> bool:
    """Says whether a value was read as it was written; a joined row may say more than is shown."""
    if isinstance(shown, list) and shown and isinstance(shown[0], dict):
        pairs = zip(read, shown, strict=True)
        return all({name: one[name] for name in other} == other for one, other in pairs)
    return str(read) == str(shown)


BY_FILES = {"Coco", "DicomSeries", "Planned", "Voc"}
"""Readers whose rows are gathered from several places; their own tests lay files out."""
LAID = [name for name, source in ALL.items() if type(source.reader).__name__ not in BY_FILES]


@pytest.mark.parametrize("name", LAID)
def test_what_lies_as_the_card_says_is_read_as_the_example_shows(
    name, tmp_path, furnish, intake_of
):
    source, root = ALL[name], tmp_path / "in"
    root.mkdir()
    for path in lay(source.reader, source.example, root):
        furnish(path)
    reader, settings = source.reader.at(root), source.settings()
    rows = list(reader.rows(root, tuple(reader.entries(root, settings))))
    assert rows and all(isinstance(row, Row) for row in rows), rows
    intake = intake_of(name, root)
    for row in rows:
        for column in source.example.keys() & row.values.keys() - {"split"}:
            assert agree(row.values[column], source.example[column]), column
        assert list(source.records(row, intake))


@pytest.mark.parametrize("name", [name for name in ALL if name != "nano"])
def test_a_file_that_lacks_is_named_before_anything_is_read(name: str, tmp_path: Path):
    (tmp_path / "in").mkdir()
    with pytest.raises(DataError, match=r"lacks '.+', which this dataset has; ") as error:
        ingest(name, tmp_path / "in", tmp_path / "out", ALL[name].settings(), Running())
    assert ALL[name].card.layout in error.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
