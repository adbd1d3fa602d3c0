"""Samples for doctors, and their verdicts back as a filter."""

import json

import pytest

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.records import Score
from lingshu_synth.review import export, keep_approved, read_verdicts


@pytest.fixture
def made(server, synth, gallery, tmp_path):
    calls = {"endpoints": [{"url": server().url}]}
    settings = {"model": {"name": "mock", "max_tokens": 300}, "limit": 4, "short": False}
    return synth("captions", gallery, tmp_path / "made", calls=calls, **settings)


def test_a_sample_shows_every_stage_and_the_picture(made, tmp_path):
    assert export(made, tmp_path / "review", count=3, seed=0, journal=None) == 3
    page = (tmp_path / "review" / "index.html").read_text()
    for word in ("captions.factual", "captions.doctor", "captions.summary", "data:image/"):
        assert word in page
    tasks = json.loads((tmp_path / "review" / "label-studio" / "tasks.json").read_text())
    assert len(tasks) == 3
    assert all(task["data"]["picture"].startswith("data:image/png;base64,") for task in tasks)


def label_studio(record, choice, who):
    value = {"choices": [choice]}
    result = [{"from_name": "verdict", "to_name": "text", "type": "choices", "value": value}]
    return {"data": {"record": record}, "annotations": [{"completed_by": who, "result": result}]}


def test_verdicts_filter(made, tmp_path):
    ids = [record.id for record in Manifest(made)]
    file = tmp_path / "export.json"
    said = [(ids[0], "keep", 1), (ids[1], "reject", 1), (ids[2], "keep", 1), (ids[2], "reject", 2)]
    file.write_text(json.dumps([label_studio(*one) for one in said]))
    assert read_verdicts(file, made, tmp_path / "verdicts") == 4
    assert all(isinstance(score, Score) for score in Manifest(tmp_path / "verdicts"))
    counts = keep_approved(made, tmp_path / "verdicts", tmp_path / "kept", reviewed_only=False)
    assert counts == {"approved": 1, "rejected": 2, "not_reviewed": 1}
    assert [record.id for record in Manifest(tmp_path / "kept")] == [ids[0], ids[3]]
    keep_approved(made, tmp_path / "verdicts", tmp_path / "seen", reviewed_only=True)
    assert [record.id for record in Manifest(tmp_path / "seen")] == [ids[0]]


def test_a_verdict_about_nothing_is_an_error(made, tmp_path):
    file = tmp_path / "export.json"
    file.write_text(json.dumps([label_studio("drawn/other", "keep", 1)]))
    with pytest.raises(DataError, match="drawn/other"):
        read_verdicts(file, made, tmp_path / "verdicts")
    file.write_text('{"something": "else"}')
    with pytest.raises(DataError, match=r"export\.json"):
        read_verdicts(file, made, tmp_path / "other")
