"""Tables: a broken row costs itself and no other."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu_data.reader import Broken, Row
from lingshu_data.readers.table import Table


def read(tmp_path, text, name="rows.csv", **options):
    data = text if isinstance(text, bytes) else text.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return list(Table((name,), **options).entries(tmp_path, None))


def test_rows_have_the_header_s_names_and_their_line(tmp_path):
    rows = read(tmp_path, '\ufeffname,said\na,"one\ntwo"\nb,nan\n', splits={"rows": "train"})
    assert [row.values for row in rows] == [
        {"name": "a", "said": "one\ntwo", "split": "train"},
        {"name": "b", "said": None, "split": "train"},
    ]
    assert [row.place for row in rows] == ["rows.csv:2", "rows.csv:4"]


@pytest.mark.parametrize(
    ("text", "kept", "broken"),
    [
        ('a,b\n1,"2\n3,4\n5,6\n', ["3", "5"], ["rows.csv:2"]),
        ('a,b\n1,"2"x"\n3,4\n5,"6 ""so"""\n', ["3", "5"], ["rows.csv:2"]),
        ("a,b\n1,2,3\n4\n5,6\n", ["5"], ["rows.csv:2", "rows.csv:3"]),
        ('a,b\n1,2\n3,"4', ["1"], ["rows.csv:3"]),
    ],
)
def test_a_broken_quote_or_count_costs_its_row_alone(tmp_path, text, kept, broken):
    rows = read(tmp_path, text)
    assert [row.values["a"] for row in rows if isinstance(row, Row)] == kept
    assert [row.place for row in rows if isinstance(row, Broken)] == broken


@given(
    cells=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters='"\r\n\0\x85\u2028\u2029,'))
        .map(str.strip)
        .filter(lambda cell: cell and cell not in {"nan", "NaN"}),
        min_size=1,
        max_size=6,
    ),
    place=st.integers(0, 5),
)
@settings(max_examples=25, deadline=None)
def test_a_stray_quote_anywhere_loses_no_other_row(tmp_path_factory, cells, place):
    lines = [f"{number},{cell}" for number, cell in enumerate(cells)]
    lines.insert(min(place, len(lines)), 'stray,"never closed')
    rows = read(tmp_path_factory.mktemp("t"), "\n".join(["a,b", *lines]) + "\n")
    assert [row.values["b"].strip() for row in rows if isinstance(row, Row)] == cells
    assert sum(isinstance(row, Broken) for row in rows) == 1


def test_tabs_without_quotes_own_columns_and_skipped_lines(tmp_path):
    rows = read(
        tmp_path, 'Header\n1\t"x\n', delimiter="\t", quotes=False, columns=("a", "b"), skip=1
    )
    assert [row.values for row in rows] == [{"a": "1", "b": '"x'}]


def test_a_cut_archive_gives_its_rows_and_then_says_so(tmp_path):
    whole = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(5000)))
    (tmp_path / "rows.csv.gz").write_bytes(whole[: len(whole) // 2])
    *rows, last = Table(("rows.csv.gz",)).entries(tmp_path, None)
    assert len(rows) > 100 and all(isinstance(row, Row) for row in rows[:-1])
    assert isinstance(last, Broken) and "cannot be read on from here" in last.reason


def test_a_byte_that_is_no_utf8_stays_visible(tmp_path):
    (row,) = read(tmp_path, b"a\ncaf\xe9\n")
    assert row.values["a"] == "caf\\xe9"
