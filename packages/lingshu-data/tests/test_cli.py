"""The command line: a dry run says the plan and writes nothing; wrong words end with what to do."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lingshu_data.cli import app

LEGS = """
[[steps]]
operator = "picture-filter"
[[steps]]
operator = "picture-dedup"
[[steps]]
operator = "caption-length"
"""


@pytest.fixture
def folder(tmp_path: Path, build, pictures, monkeypatch) -> Path:
    """Returns a folder with a manifest, a recipe of each kind, and the raw pictures."""
    noise, png = pictures
    toy = build()
    for seed in range(3):
        toy.imaging(png(noise(seed)))
    toy.close()
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.png").write_bytes(png(noise(9)))
    (tmp_path / "curate.toml").write_text(LEGS, encoding="utf-8")
    mix = 'stage = "s"\n[[takes]]\nname = "all"\n'
    (tmp_path / "mix.toml").write_text(mix, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*words: str) -> str:
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stderr


@pytest.mark.parametrize(
    ("words", "plan"),
    [
        (["ingest", "pictures", "--path", "raw"], "1 entries in 1 shards, 0 of them finished"),
        (["curate", "in", "--recipe", "curate.toml"], "leg 1: picture-filter, picture-dedup; 0 of"),
        (["decontaminate", "in", "--against", "in"], "leg 1: decontamination; 0 of its shards"),
        (["classify", "in"], "3 records in 1 shards, 0 of them looked at"),
        (["classify", "in", "--fit"], "3 records in 1 shards, 0 of them looked at"),
        (["mix", "in", "--recipe", "mix.toml"], "3 records of 1 manifests, in 1 shards"),
    ],
)
def test_a_dry_run_says_the_plan_and_writes_nothing(folder, words, plan):
    before = sorted(folder.rglob("*"))
    told = said(*words, "--out", "out", "--dry-run")
    assert plan in told and "out would be written; nothing was" in told
    assert sorted(folder.rglob("*")) == before


def test_a_dry_run_names_what_else_decides_and_finds_wrong_settings(folder):
    words = ["curate", "in", "--recipe", "curate.toml", "--out", "out", "--dry-run"]
    assert "caption-length: tokenizer: words and marks, no model's tokens" in said(*words)
    done = CliRunner().invoke(app, [*words, "--set", "steps.2.tokenizer=nowhere"])
    assert "nowhere: there is no such tokenizer.json" in str(done.exception)


def test_a_share_that_cannot_be_is_refused(folder):
    words = ["curate", "in", "--recipe", "curate.toml", "--out", "out"]
    for share, message in (("4/4", "the last is 3/4"), ("first", "write it like 0/4")):
        done = CliRunner().invoke(app, [*words, "--shard", share])
        assert message in str(done.exception)
