"""Samples for doctors, and their verdicts back as a filter."""

import json

import pytest

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.records import Score
from lingshu_synth.review import export, keep_approved, read_verdicts


@pytest.fixture(scope="module")
def made(endpoint, synth, gallery, tmp_path_factory):
    """Captions by a model, for reading alone."""
    out = tmp_path_factory.mktemp("made") / "made"
    calls = {"endpoints": [{"url": endpoint.url}]}
    settings = {"model": {"name": "mock", "max_tokens": 300}, "limit": 4, "short": False}
    return synth("captions", gallery, out, calls=calls, **settings)


def test_a_sample_shows_every_stage_and_the_picture(made, tmp_path):
    assert export(made, tmp_path / "review", count=3, seed=0, journal=None) == 3
    page = (tmp_path / "review" / "index.html").read_text()
    for word in ("captions.factual", "captions.doctor", "captions.summary", "data:image/"):
        assert word in page
    tasks = json.loads((tmp_path / "review" / "label-studio" / "tasks.json").read_text())
    assert len(tasks) == 3
    assert all(task["data"]["picture"].startswith("data:image/png;base64,") for task in tasks)


# Each is a task or record of the tool's own export, as its library writes it: what was loaded
# comes back with what reviewers said. Label Studio names the reviewer by a number or, where the
# export asks for it, by a person; Argilla tells nothing of an answer's state.


def label_studio(shown, said):
    annotations = []
    for number, (who, choice, comment) in enumerate(said):
        result = [{"from_name": "verdict", "to_name": "text", "type": "choices", "id": "v"}]
        result[0]["value"] = {"choices": [choice]} if choice else {}
        if comment:
            value = {"text": [comment]}
            result.append({"from_name": "comment", "to_name": "text", "type": "textarea"})
            result[-1] |= {"id": "c", "value": value}
        person = {"id": who, "email": f"{who}@example.org"} if number else who
        annotations.append(
            {"id": number, "was_cancelled": False, "completed_by": person, "result": result}
        )
    skipped = {"id": 9, "was_cancelled": True, "completed_by": 9, "result": []}
    return shown | {"id": 1, "annotations": [*annotations, skipped], "predictions": []}


def argilla(shown, said, status="completed"):
    responses = {"verdict": [], "comment": []}
    for who, choice, comment in said:
        responses["verdict"].append({"value": choice or None, "user_id": f"{who:032}"})
        if comment:
            responses["comment"].append({"value": comment, "user_id": f"{who:032}"})
    kept = shown | {"responses": responses if said else {}, "vectors": {}, "status": status}
    return kept | {"_server_id": "0" * 32}


TOOLS = {
    "label-studio": ("tasks.json", label_studio, lambda task: task["data"]["record"]),
    "argilla": ("records.json", argilla, lambda record: record["id"]),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_what_reviewers_said_comes_back_as_a_filter(made, tmp_path, tool):
    name, answered, record_of = TOOLS[tool]
    export(made, tmp_path / "review", count=4, seed=0, journal=None)
    shown = json.loads((tmp_path / "review" / tool / name).read_text())
    ids = [record.id for record in Manifest(made)]
    said = {
        ids[0]: [(1, "keep", "")],
        ids[1]: [(1, "reject", "it is on the other side")],
        ids[2]: [(1, "keep", ""), (2, "reject", "blurred")],
        ids[3]: [(1, "", "")],  # opened, and not decided
    }
    file = tmp_path / "export.json"
    file.write_text(json.dumps([answered(one, said[record_of(one)]) for one in shown]))
    assert read_verdicts(file, made, tmp_path / "verdicts") == 4
    scores = list(Manifest(tmp_path / "verdicts").of(Score))
    assert [score.item for score in scores] == [ids[0], ids[1], ids[2], ids[2]]
    assert [score.verdict for score in scores] == ["right", "wrong", "right", "wrong"]
    comments = [score.judgements[0].raw for score in scores]
    assert comments == ["", "it is on the other side", "", "blurred"]
    text = (tmp_path / "verdicts" / "part-00000.jsonl").read_text()
    assert "example.org" not in text, "who reviewed stays with the tool"
    counts = keep_approved(made, tmp_path / "verdicts", tmp_path / "kept", reviewed_only=False)
    assert counts == {"approved": 1, "rejected": 2, "not_reviewed": 1}
    kept = Manifest(tmp_path / "kept")
    assert [record.id for record in kept] == [ids[0], ids[3]]
    assert all(kept.file(record.images[0]).is_file() for record in kept)
    keep_approved(made, tmp_path / "verdicts", tmp_path / "seen", reviewed_only=True)
    assert [record.id for record in Manifest(tmp_path / "seen")] == [ids[0]]


def test_the_commands_of_a_review(command, made, tmp_path):
    folder = tmp_path / "review"
    done = command("review", "export", made, "--out", folder, "-n", 4)
    assert done.returncode == 0 and "4 records" in done.stdout
    (first, *_) = json.loads((folder / "argilla" / "records.json").read_text())
    file = tmp_path / "export.json"
    file.write_text(json.dumps([argilla(first, [(1, "reject", "")])]))
    words = ["review", "verdicts", file, "--of", made, "--out", tmp_path / "verdicts"]
    assert "1 verdicts" in command(*words).stdout
    words = ["review", "filter", made, "--by", tmp_path / "verdicts", "--out", tmp_path / "kept"]
    assert "1 rejected" in command(*words).stdout
    assert first["id"] not in {record.id for record in Manifest(tmp_path / "kept")}


def test_drafts_of_argilla_are_no_verdicts(made, tmp_path):
    export(made, tmp_path / "review", count=4, seed=0, journal=None)
    shown = json.loads((tmp_path / "review" / "argilla" / "records.json").read_text())
    drafted = argilla(shown[0], [(1, "keep", "")], status="pending")
    told = argilla(shown[1], [(1, "keep", ""), (2, "reject", "")])
    for response, state in zip(
        told["responses"]["verdict"], ("submitted", "discarded"), strict=True
    ):
        response["status"] = state
    file = tmp_path / "export.json"
    file.write_text(json.dumps([drafted, told]))
    assert read_verdicts(file, made, tmp_path / "verdicts") == 1
    (score,) = Manifest(tmp_path / "verdicts").of(Score)
    assert (score.item, score.verdict) == (shown[1]["id"], "right")


def test_a_verdict_about_nothing_is_an_error(made, tmp_path):
    file = tmp_path / "export.json"
    file.write_text(
        json.dumps([label_studio({"data": {"record": "drawn/other"}}, [(1, "keep", "")])])
    )
    with pytest.raises(DataError, match="drawn/other"):
        read_verdicts(file, made, tmp_path / "verdicts")
    file.write_text('{"something": "else"}')
    with pytest.raises(DataError, match=r"export\.json"):
        read_verdicts(file, made, tmp_path / "other")
