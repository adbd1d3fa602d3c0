"""What the README shows works as it stands there, and its figures are those of the bench."""

import json
import re
from pathlib import Path

import pytest

from lingshu_core.converter import CONVERTERS
from lingshu_core.manifest import Manifest
from lingshu_core.records import RECORD

PACKAGE = Path(__file__).parent.parent
README = (PACKAGE / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def written(tmp_path, monkeypatch, capsys):
    """A folder in which the Python of the README has run."""
    monkeypatch.chdir(tmp_path)
    for code in blocks("python"):
        exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[0].endswith(" the spleen")
    return tmp_path


def test_every_command_works(written, lingshu):
    recipe, _ = blocks("toml")
    (written / "exam.toml").write_text(recipe, encoding="utf-8")
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) >= 9
    for command in commands:
        name, *words = command.split()
        done = lingshu(*words)
        assert (name, done.returncode) == ("lingshu", 0), (command, done.stderr)
    assert {record.type for record in Manifest("back")} == {"instruction"}
    assert Path("runs/exam/chat/data.jsonl").is_file()


def test_the_line_is_one_that_was_written(written):
    (line,) = blocks("json")
    assert next(iter(Manifest("chest"))) == RECORD.validate_json(line, strict=True)


def test_every_format_is_named():
    for name in CONVERTERS.names():
        assert f"`{name.replace('_', '-')}`" in README


def test_the_figures_are_those_of_the_bench():
    path = PACKAGE / "bench" / "results" / "manifest_speed.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = {
        "reading with validation": f"{found['reading']['ratio']:.2f} × bare `validate_json`",
        "writing": f"{found['writing']['ratio']:.2f} × bare `dump_json` into a file",
        "validating 2,000,000 records": f"{found['validating'][1]['peak_mb']:.0f} MB, "
        f"{found['grown_mb']:.1f} MB more than for 20,000",
    }
    for title, figure in rows.items():
        assert f"| {title} | {figure} |" in README
