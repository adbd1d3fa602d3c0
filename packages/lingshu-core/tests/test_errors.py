"""Errors say where, and carry the exit status of the command."""

import pytest

from lingshu_core.errors import DataError, LingshuError, SettingsError, Stopped


def test_exit_statuses():
    kinds = (LingshuError, SettingsError, DataError, Stopped)
    assert [kind.exit_code for kind in kinds] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({}, "is cut"),
        ({"path": "a.jsonl"}, "a.jsonl: is cut"),
        ({"path": "a.jsonl", "line": 3}, "a.jsonl:3: is cut"),
        ({"path": "a.jsonl", "line": 3, "record": "x/1"}, "a.jsonl:3: record x/1: is cut"),
        (
            {"path": "a.jsonl", "line": 3, "record": "x/1", "field": "images.0.path"},
            "a.jsonl:3: record x/1: field images.0.path: is cut",
        ),
        ({"field": "format"}, "field format: is cut"),
    ],
)
def test_the_place_comes_first(place, text):
    assert str(DataError("is cut", **place)) == text


def test_a_file_is_added_once():
    error = DataError("is cut", line=3, field="a", record="b")
    assert str(error.within("a.jsonl")) == "a.jsonl:3: record b: field a: is cut"
    assert error.within("a.jsonl").within("b.jsonl").path == "a.jsonl"
