"""A command knows again what it has made."""

import json

import pytest

from lingshu_core.errors import SettingsError
from lingshu_core.making import Making
from lingshu_core.panels import read_stats

MAKING = Making(command="lingshu manifest split", inputs=("a",), settings={"seed": 1, "part": 0.5})


def test_what_was_made_is_known_again(tmp_path, capsys):
    assert not MAKING.is_done(tmp_path) and not MAKING.is_done(tmp_path / "none")
    MAKING.publish(tmp_path, title="A split", seconds=0.123, counts={"out": 3})
    assert MAKING.is_done(tmp_path)
    assert "is there already" in capsys.readouterr().err
    assert read_stats(tmp_path).counts == {"out": 3}
    assert json.loads((tmp_path / "settings.json").read_text())["settings"]["seed"] == 1
    assert "A split" in (tmp_path / "index.html").read_text()


def test_what_was_made_otherwise_is_left_alone(tmp_path):
    MAKING.publish(tmp_path, title="A split", seconds=0, counts={})
    with pytest.raises(SettingsError, match="other inputs"):
        MAKING.model_copy(update={"inputs": ("b",)}).is_done(tmp_path)
    with pytest.raises(SettingsError, match="other settings"):
        MAKING.model_copy(update={"settings": {}}).is_done(tmp_path)


def test_settings_of_another_program_are_none_of_ours(tmp_path):
    (tmp_path / "settings.json").write_text('{"steps": 3}')
    assert not MAKING.is_done(tmp_path)


def test_the_producer_knows_the_settings():
    other = MAKING.model_copy(update={"settings": {}})
    assert MAKING.producer().settings != other.producer().settings
    assert MAKING.producer().package == "lingshu-core"
