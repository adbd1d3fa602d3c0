"""The page of the package says what the benches measured, and names what is there."""

import importlib.util
import re
from pathlib import Path

import pytest
from typer.main import get_command

from medevalkit.backend import BACKENDS
from medevalkit.benchmark import BENCHMARKS
from medevalkit.cli import app
from medevalkit.profile import PROFILES
from medevalkit.suites import SUITES

PACKAGE = Path(__file__).parent.parent
README = (PACKAGE / "README.md").read_text(encoding="utf-8")


def test_figures_are_those_of_the_benches():
    spec = importlib.util.spec_from_file_location("_figures", PACKAGE / "bench" / "_figures.py")
    assert spec is not None and spec.loader is not None
    figures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figures)
    assert README.split(figures.BEGIN)[1].split(figures.END)[0].strip() == figures.figures()


def test_every_command_and_option_is_there():
    commands = get_command(app).commands  # type: ignore[attr-defined]
    text = README.replace("\\\n", " ")
    named = re.findall(r"(?:^|[\s`])medevalkit ([a-z]+)([^\n`]*)", text)
    assert len(named) > 9
    for command, words in named:
        known = {name for each in commands[command].params for name in each.opts}
        assert set(re.findall(r"(?<!\S)--?[a-z-]+", words)) <= known, (command, words)


@pytest.mark.parametrize("suite", sorted(SUITES))
def test_suites_are_told_as_they_are(suite):
    (row,) = re.findall(rf"^\| `{suite}` \| (.*) \|$", README, re.MULTILINE)
    assert tuple(re.findall(r"`([^`]+)`", row)) == SUITES[suite].tasks
    assert f"lists all {len(BENCHMARKS.names())}" in README


def test_backends_and_profiles_are_told():
    for name in BACKENDS.names():
        assert f"`{name}:" in README or f"`{name}`" in README
    for name in PROFILES.names():
        assert f"| `{name.replace('_', '-')}`" in README
