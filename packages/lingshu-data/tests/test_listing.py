"""`lingshu-data sources` lists every card with its table, licence and access."""

import json

import pytest
from typer.testing import CliRunner

from lingshu_core.errors import SettingsError
from lingshu_data.cli import app
from lingshu_data.listing import card_lines, listing
from lingshu_data.source import SOURCES


def said(*words: str) -> str:
    done = CliRunner().invoke(app, ["sources", *words])
    assert done.exit_code == 0
    return done.stdout


def test_all_are_listed_with_table_access_and_licence():
    head, *rows = said().splitlines()
    assert head.split() == ["name", "table", "part", "access", "licence", "size"]
    assert len(rows) == len(SOURCES.names())
    found = {row.split()[0]: row for row in rows}
    assert " 1, 5 " in found["slake"] and " open " in found["slake"] and "CC-BY" in found["slake"]
    assert " 2 " in found["medquad"] and " 3 " in found["brats2024"] and " 5 " in found["pixmo"]
    assert " - " in found["volumes"]


def test_a_part_is_listed_alone_and_another_word_is_no_part():
    rows = said("--part", "captions").splitlines()[1:]
    assert len(rows) == 10 and all("captions" in row for row in rows)
    with pytest.raises(SettingsError, match="did you mean 'captions'"):
        list(listing("caption"))


def test_a_card_says_what_is_needed_how_it_is_read_and_what_can_be_set():
    lines = list(card_lines("nih-chest-xray"))
    assert "access: open" in lines and any(line.startswith("needs: ") for line in lines)
    assert "read by: Joined, Table" in lines
    [columns] = [line for line in lines if line.startswith("columns: ")]
    assert "Image Index, Finding Labels" in columns
    assert any(line.startswith("set limit=None: ") for line in lines)
    assert "read by: Either, Parquet, Renamed, JsonRows" in card_lines("path-vqa")


def test_the_cards_can_be_read_by_machines():
    cards = json.loads(said("--json"))
    assert cards["path-vqa"]["licence"] == "MIT"
