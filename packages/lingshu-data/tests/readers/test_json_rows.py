"""JSON files, a row at a time."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu_data.reader import Broken, Row
from lingshu_data.readers import json_rows
from lingshu_data.readers.json_rows import JsonRows

ROWS = st.lists(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9)), max_size=9
)


@given(rows=ROWS, block=st.integers(1, 40))
@settings(max_examples=25, deadline=None)
def test_an_array_is_the_same_for_any_size_of_block(tmp_path_factory, rows, block):
    path = tmp_path_factory.mktemp("json") / "rows.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_rows, "_BLOCK", block)
        found = [row.values for row in JsonRows(("rows.json",)).entries(path.parent, None)]
    assert found == rows


def read(tmp_path, text, name="rows.json"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return list(JsonRows((name,)).entries(tmp_path, None))


def test_members_of_an_object_get_their_names(tmp_path):
    rows = read(tmp_path, '{"a": {"x": 1}, "b": 2}')
    assert [row.values for row in rows] == [{"key": "a", "x": 1}, {"key": "b", "value": 2}]


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a": 2}', '[{"a": 1}, {"a": 2},', '[{"a": 1}, {"a"'])
def test_a_file_that_ends_too_early_says_so(tmp_path, text):
    *rows, last = read(tmp_path, text)
    assert rows and all(isinstance(row, Row) for row in rows)
    assert isinstance(last, Broken)


def test_a_broken_line_costs_itself(tmp_path):
    first, second, third = read(tmp_path, '{"a": 1}\n{"a"\n[3]\n', "rows.jsonl")
    assert first.values == {"a": 1} and first.place == "rows.jsonl:1"
    assert second.place == "rows.jsonl:2" and "is no JSON" in second.reason
    assert third == Broken("rows.jsonl:3", "is no JSON object")
