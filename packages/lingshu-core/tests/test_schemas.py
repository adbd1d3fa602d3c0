"""The published schemas are those of the code, and say what the code says."""

import json
from pathlib import Path

import pytest

from lingshu_core.errors import SettingsError
from lingshu_core.schemas import schema, schema_names

FOLDER = Path(__file__).parent.parent / "schemas"


@pytest.mark.parametrize("name", schema_names())
def test_the_committed_schema_is_current(name):
    """To renew one: `lingshu manifest schema NAME > schemas/NAME.schema.json`."""
    committed = (FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")
    assert json.loads(committed) == schema(name)
    assert committed == json.dumps(schema(name), indent=2) + "\n"


def test_no_schema_is_left_over():
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(
        f"{name}.schema.json" for name in schema_names()
    )


def test_fields_are_described_and_unknown_ones_refused():
    question = schema("question")
    assert question["additionalProperties"] is False
    assert "letter" in question["properties"]["answer"]["description"]
    assert schema("manifest")["properties"].keys() >= {"format", "records", "parts", "producer"}
    assert schema("checkpoint")["properties"].keys() >= {"stage", "parents", "files"}


def test_an_unknown_schema():
    with pytest.raises(SettingsError, match="did you mean 'question'"):
        schema("qestion")
