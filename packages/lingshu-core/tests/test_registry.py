"""Registries: a folder of modules, entry points of others, and one file of the user's."""

import sys
from importlib.metadata import EntryPoint

import pytest

from lingshu_core import registry as module
from lingshu_core.converter import CONVERTERS, Converter
from lingshu_core.errors import SettingsError
from lingshu_core.registry import SWITCH, Registry


@pytest.fixture
def folder(tmp_path, monkeypatch):
    package = tmp_path / "some_sources"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "vqa_rad.py").write_text("SOURCE = 'rad'")
    (package / "wrong.py").write_text("SOURCE = 3")
    (package / "_private.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    yield "some_sources"
    for name in [name for name in sys.modules if name.startswith("some_sources")]:
        del sys.modules[name]


@pytest.fixture
def registry(folder):
    return Registry(folder, "tests.sources", "SOURCE", str)


@pytest.fixture
def plugins(monkeypatch):
    """Returns a function that declares entry points."""
    monkeypatch.delenv(SWITCH, raising=False)

    def declare(**values):
        points = [EntryPoint(name, value, "tests.sources") for name, value in values.items()]
        monkeypatch.setattr(module, "entry_points", lambda group: points)

    declare()
    return declare


def test_listing_imports_nothing(registry, plugins):
    plugins(extra="nowhere_at_all:X")
    assert registry.names() == ["vqa_rad", "wrong", "extra"]
    assert "some_sources.vqa_rad" not in sys.modules


def test_looking_up_imports_the_one(registry, plugins):
    assert registry.get("vqa_rad") == registry.get("vqa-rad") == "rad"
    assert "some_sources.wrong" not in sys.modules


def test_all_of_them(folder, plugins):
    assert dict(CONVERTERS.items()).keys() == {"llava", "openai_chat", "parquet", "sharegpt"}
    assert all(isinstance(found, Converter) for _, found in CONVERTERS.items())


def test_an_unknown_name(registry, plugins):
    with pytest.raises(SettingsError, match="not among the some_sources; did you mean 'vqa_rad'"):
        registry.get("vqa-rat")
    with pytest.raises(SettingsError, match="not among"):
        registry.get("_private")


def test_a_thing_of_another_kind(registry, plugins):
    with pytest.raises(SettingsError, match="is a int, not a str"):
        registry.get("wrong")


def test_a_plug_in(registry, plugins):
    plugins(path_sep="os:sep")
    assert registry.get("path-sep") == "/"


def test_a_plug_in_that_shadows(registry, plugins):
    plugins(vqa_rad="os:sep")
    with pytest.raises(SettingsError, match="os:sep shadows the built-in 'vqa-rad'"):
        registry.get("vqa-rad")


def test_a_plug_in_that_breaks_is_told_when_asked_for(registry, plugins):
    plugins(broken="some_sources._private:X")
    assert registry.get("vqa_rad") == "rad"
    with pytest.raises(SettingsError, match=r"'broken' of the entry point .* RuntimeError"):
        registry.get("broken")


def test_plug_ins_can_be_switched_off(registry, plugins, monkeypatch):
    plugins(extra="os:sep")
    monkeypatch.setenv(SWITCH, "0")
    assert "extra" not in registry.names()


def test_a_file_of_the_user(registry, tmp_path):
    (tmp_path / "mine.py").write_text("THING = 'mine'\nOTHER = 3\n")
    (tmp_path / "bad.py").write_text("def")
    assert registry.get(f"{tmp_path}/mine.py:THING") == "mine"
    for name, message in (
        ("mine.py:OTHER", "is a int"),
        ("mine.py:NONE", "has no NONE"),
        ("none.py:THING", "no such file"),
        ("bad.py:THING", "cannot be imported: SyntaxError"),
    ):
        with pytest.raises(SettingsError, match=message):
            registry.get(f"{tmp_path}/{name}")
