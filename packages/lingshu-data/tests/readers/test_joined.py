"""One table with the matching rows of another."""

from lingshu_data.reader import Broken
from lingshu_data.readers.either import Either, Renamed, Several
from lingshu_data.readers.joined import Joined
from lingshu_data.readers.json_rows import JsonRows
from lingshu_data.readers.table import Table

BOXES = Joined(Table(("a.csv",)), Table(("b.csv",)), on=("id", "of"), column="boxes")


def test_matching_rows_come_as_a_list_and_broken_ones_are_given_on(tmp_path):
    (tmp_path / "a.csv").write_text("id\n1\n2\n", encoding="ascii")
    (tmp_path / "b.csv").write_text("of,x\n1,7\n1,8\n3\n", encoding="ascii")
    broken, one, two = BOXES.entries(tmp_path, None)
    assert isinstance(broken, Broken) and broken.place == "b.csv:4"
    assert [box["x"] for box in one.values["boxes"]] == ["7", "8"]
    assert two.values == {"id": "2", "boxes": []}


def test_the_layout_that_is_there_is_read_and_columns_are_renamed(tmp_path):
    (tmp_path / "a.csv").write_text("Frage\nwas\n", encoding="ascii")
    reader = Either((JsonRows(("*.json",)), Renamed(Table(("*.csv",)), {"Frage": "question"})))
    found = reader.at(tmp_path)
    (row,) = found.rows(tmp_path, list(found.entries(tmp_path, None)))
    assert row.values == {"question": "was"}
    both = Several((Table(("*.csv",)), Table(("*.csv",))))
    entries = list(both.entries(tmp_path, None))
    assert [number for number, _ in entries] == [0, 1]
    assert [row.values for row in both.rows(tmp_path, entries)] == [{"Frage": "was"}] * 2
