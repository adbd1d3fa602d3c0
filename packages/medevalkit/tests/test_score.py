import json
import shutil

import pytest

from lingshu_core.manifest import Manifest
from lingshu_core.recipe import load_recipe
from lingshu_core.records import Score
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import RunSettings
from medevalkit.tables import grids, written


def made(task, out, model, *more):
    run(
        load_recipe(RunSettings, None, [f"model={model}", f'tasks=["manifest:{task}"]', *more]), out
    )
    return score(out)


def row(scores, kind, by=None, value=None):
    return next(r for r in scores.rows if (r.kind, r.by, r.value) == (kind, by, value))


def test_the_gold_scores_full(toy, tmp_path):
    scores = made(toy(40), tmp_path / "out", "oracle")
    assert {r.accuracy for r in scores.rows} == {1.0}
    assert row(scores, "report").metrics["rouge-l"].mean == 1.0


def test_chance_is_what_guessing_gives(toy, tmp_path):
    scores = made(toy(48), tmp_path / "out", "constant:yes")
    assert row(scores, "choice").chance == 0.25
    assert row(scores, "closed").chance == 0.5
    assert row(scores, "open").chance == pytest.approx(1 / 3, abs=1e-6)
    assert row(scores, "report").chance == 0.0
    assert row(scores, "closed").accuracy == 0.5
    assert row(scores, "choice").unparsed == 1.0


def test_tables_are_broken_down_by_topic_and_modality(toy, tmp_path):
    scores = made(toy(48, pictures=6), tmp_path / "out", "oracle")
    assert row(scores, "open", "topic", "modality").n == 12
    assert {r.value for r in scores.rows if r.by == "modality" and r.kind == "open"} == {
        "ct",
        "mri",
        "xray",
    }


def test_every_item_has_its_score(toy, tmp_path):
    task = toy(12)
    made(task, tmp_path / "out", "constant:B")
    found = list(Manifest(tmp_path / "out" / "scores" / "strict").of(Score))
    assert sorted(one.item for one in found) == sorted(record.id for record in Manifest(task))
    by_item = {one.item: one for one in found}
    for record in Manifest(task):
        if record.type == "question" and record.options:
            verdict = "right" if record.answer == "B" else "wrong"
            assert by_item[record.id].verdict == verdict
            assert by_item[record.id].parsed == "B"


def test_scored_again_gives_the_same_bytes(toy, tmp_path):
    made(toy(20, pictures=2), tmp_path / "out", "constant:no")
    before = (tmp_path / "out" / "scores.json").read_bytes()
    score(tmp_path / "out")
    assert (tmp_path / "out" / "scores.json").read_bytes() == before


def test_a_run_under_way_is_scored_as_far_as_it_is(toy, tmp_path):
    out = tmp_path / "out"
    made(toy(20), out, "oracle")
    shutil.rmtree(out / "predictions")
    lines = (out / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (out / "journal.jsonl").write_bytes(b"".join(lines[:11]))
    state = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps({**state, "finished": False}))
    scores = score(out)
    assert not scores.finished
    assert row(scores, "all").n == 10 and row(scores, "all").accuracy == 1.0


def test_the_page_needs_no_network(toy, tmp_path):
    made(toy(12, pictures=2), tmp_path / "out", "constant:<script>alert(1)</script>")
    page = (tmp_path / "out" / "index.html").read_text()
    assert "http://" not in page and "https://" not in page
    assert "<script>alert(1)</script>" not in page


def test_reports_are_measured_as_the_official_kit_does(toy, tmp_path):
    out = tmp_path / "out"
    made(toy(8), out, "oracle")
    scores = score(out, ["strict", "official", "official-2025-06"])
    for profile in ("official", "official-2025-06"):
        found = next(r for r in scores.rows if (r.kind, r.profile) == ("report", profile))
        assert {f"official-bleu-{n}" for n in range(1, 5)} < set(found.metrics)
        # The kit adds a full stop to the reference, so that not even the gold has all words.
        assert 0.8 < found.metrics["official-bleu-1"].mean < 1
        if shutil.which("java"):
            assert "official-cider" in found.metrics
        else:
            assert "needs Java" in scores.notes["official-cider"]


def test_what_could_not_be_computed_is_said_in_the_table(toy, tmp_path, monkeypatch):
    out = tmp_path / "out"
    made(toy(8), out, "oracle")
    monkeypatch.setenv("PATH", str(tmp_path))
    scores = score(out, ["official"])
    assert "needs Java" in scores.notes["official-cider"]
    text = written(grids([scores]), "text")
    assert "official-cider: not computed: the Penn Treebank tokenizer needs Java" in text
