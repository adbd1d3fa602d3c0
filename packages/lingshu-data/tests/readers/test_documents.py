"""Text files, one a row."""

import pytest

from lingshu_core.errors import DataError
from lingshu_data.reader import Broken, Row
from lingshu_data.readers import documents
from lingshu_data.readers.documents import Documents


def read(root, *patterns, **options):
    reader = Documents(patterns, **options)
    return list(reader.rows(root, list(reader.entries(root, None))))


def test_every_file_is_a_row_in_order_with_its_split(tmp_path):
    for name, text in {"b/2.txt": "two", "a/1.txt": "\ufeffone", "a/note.md": "no"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = read(tmp_path, "*/*.txt", splits={"a": "train", "b": "test"})
    assert [(row.place, row.values["text"]) for row in found] == [
        ("a/1.txt", "one"),
        ("b/2.txt", "two"),
    ]
    assert [row.values["path"] for row in found] == ["a/1.txt", "b/2.txt"]


def test_bytes_that_are_no_text_stay_visible(tmp_path):
    (tmp_path / "x.txt").write_bytes(b"caf\xe9")
    assert read(tmp_path, "*.txt") == [Row({"path": "x.txt", "text": "caf\\xe9"}, "x.txt")]


def test_a_file_too_large_for_a_document_costs_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "_MOST_BYTES", 1 << 20)
    (tmp_path / "a.txt").write_bytes(b"x" * ((1 << 20) + 1))
    (tmp_path / "b.txt").write_text("short", encoding="utf-8")
    large, short = read(tmp_path, "*.txt")
    assert large == Broken("a.txt", "is larger than 1 MiB") and short.values["text"] == "short"


def test_a_pattern_that_fits_no_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"\*\.xml"):
        read(tmp_path, "*.xml")
