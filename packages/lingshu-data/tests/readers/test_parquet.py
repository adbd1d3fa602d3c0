"""Parquet files with pictures inside."""

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from lingshu_data.reader import Broken, Row
from lingshu_data.readers.parquet import Parquet

READER = Parquet(("data/*.parquet",), splits={"train": "train"})


@pytest.fixture
def table(tmp_path):
    rows = [{"image": {"bytes": bytes([n]) * 9}, "question": f"q{n}"} for n in range(70)]
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "train-0.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=40, compression="none")
    return path


def test_rows_are_read_group_by_group_in_any_choice(tmp_path, table):
    entries = list(READER.entries(tmp_path, None))
    assert len(entries) == 70
    rows = list(READER.rows(tmp_path, entries[38:42]))
    assert [row.values["question"] for row in rows] == ["q38", "q39", "q40", "q41"]
    assert rows[0].values["image"] == {"bytes": bytes([38]) * 9}
    assert [row.place for row in rows][2:] == [
        "data/train-0.parquet:1/0",
        "data/train-0.parquet:1/1",
    ]
    assert rows[0].values["split"] == "train"


def test_a_damaged_group_costs_its_rows_and_a_damaged_file_itself(tmp_path, table):
    data = bytearray(table.read_bytes())
    place = parquet.ParquetFile(table).metadata.row_group(1).column(0).data_page_offset
    data[place : place + 60] = b"\xff" * 60
    table.write_bytes(data)
    (tmp_path / "data" / "train-1.parquet").write_bytes(b"PAR1 no more")
    rows = list(READER.rows(tmp_path, list(READER.entries(tmp_path, None))))
    good = [row for row in rows if isinstance(row, Row)]
    broken = [row.place for row in rows if isinstance(row, Broken)]
    assert [row.values["question"] for row in good] == [f"q{n}" for n in range(40)]
    assert len(broken) == 31 and "data/train-1.parquet" in broken
