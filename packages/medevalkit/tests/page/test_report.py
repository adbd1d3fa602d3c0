import json
import re

import pytest

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.panels import read_stats
from lingshu_core.recipe import load_recipe
from medevalkit.page.report import write_report
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import RunSettings


@pytest.fixture(autouse=True)
def _no_java(monkeypatch, tmp_path):
    """Keeps the official metrics of reports, which need Java, from taking seconds a test."""
    monkeypatch.setenv("PATH", str(tmp_path))


def scored(task, out, model, *more, profiles=("strict", "official")):
    words = [f"model={model}", f'tasks=["manifest:{task}"]', *more]
    run(load_recipe(RunSettings, None, words), out)
    score(out, profiles)
    return out


def index(page):
    text = (page / "data" / "index.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("index(").removesuffix(");\n"))


def items(page, kind="part"):
    found = []
    paths = (page / "data").glob(f"{kind}-*.js")
    for path in sorted(paths, key=lambda path: int(path.stem.partition("-")[2])):
        text = path.read_text(encoding="utf-8")
        found += json.loads(re.sub(rf'^arrived\("{kind}",\d+,', "", text).removesuffix(");\n"))
    return found


def test_every_item_stands_on_the_page_with_its_answer(toy, tmp_path):
    task = toy(24, pictures=3)
    page = tmp_path / "page"
    stats = write_report([scored(task, tmp_path / "run", "constant:B")], page)
    assert stats.counts == {"items": 24, "runs": 1, "pictures_not_shown": 0}
    records, found, seen = list(Manifest(task)), items(page), index(page)
    assert [one["id"] for one in found] == [record.id for record in records]
    assert sum(seen["parts"]) == 24 == len(items(page, "labels"))
    for place, (record, one) in enumerate(zip(records, found, strict=True)):
        assert seen["names"]["modality"][seen["codes"]["modality"][place]] == record.modality.value
        assert [answer["said"] for answer in one["answers"]] == ["B"]
        assert len(one["pictures"]) == 1
        if record.type == "question" and record.options:
            assert record.question in one["prompt"]
            assert one["gold"] == f"{record.answer}. {record.option_text(record.answer)}"
            assert one["answers"][0]["read"][0]["parsed"] == "B"
            assert seen["verdicts"][0][place] == ("r" if record.answer == "B" else "w")
    assert len({one["pictures"][0]["path"] for one in found}) == 3
    assert all((page / one["pictures"][0]["path"]).is_file() for one in found)


def test_no_path_of_the_machine_and_no_address_stands_on_it(toy, tmp_path):
    page = tmp_path / "page"
    write_report([scored(toy(12, pictures=2), tmp_path / "run", "oracle")], page)
    for path in page.rglob("*"):
        if path.suffix in {".html", ".js", ".json"}:
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert str(tmp_path) not in text and "://" not in text


def test_two_runs_are_paired_by_item(toy, tmp_path):
    task = toy(24)
    first = scored(task, tmp_path / "first", "constant:B", "limit=16")
    second = scored(task, tmp_path / "second", "oracle", profiles=("strict",))
    page = tmp_path / "page"
    write_report([first, second], page)
    records, found, seen = list(Manifest(task)), items(page), index(page)
    assert [one["id"] for one in found] == [record.id for record in records]
    assert [one["answers"][0] is None for one in found] == [False] * 16 + [True] * 8
    assert all(one["answers"][1] is not None for one in found)
    strict, official, other = seen["verdicts"]
    assert strict[16:] == official[16:] == "-" * 8 and "-" not in other
    questions = [place for place, record in enumerate(records) if record.type == "question"]
    assert {other[place] for place in questions} == {"r"}
    text = (page / "index.html").read_text(encoding="utf-8")
    assert "oracle less constant:B, profile strict." in text


def test_runs_of_one_model_are_told_apart(toy, tmp_path):
    task = toy(8)
    runs = [scored(task, tmp_path / name, "oracle") for name in ("one", "two")]
    page = tmp_path / "page"
    write_report(runs, page)
    text = (page / "index.html").read_text(encoding="utf-8")
    assert "oracle (1: one)" in text and "oracle (2: two)" in text


def test_a_missing_picture_is_said_and_no_other_is_lost(toy, tmp_path):
    task = toy(12, pictures=3)
    out = scored(task, tmp_path / "run", "constant:yes")
    gone = sorted((task / "images").rglob("*.png"))[0]
    gone.unlink()
    page = tmp_path / "page"
    assert write_report([out], page).counts["pictures_not_shown"] == 1
    shown = [one["pictures"][0] for one in items(page)]
    assert sum("fault" in one for one in shown) == 4
    assert all(gone.name in one["fault"] for one in shown if "fault" in one)


def test_a_picture_behind_a_link_that_leaves_its_folder_is_not_shown(toy, tmp_path):
    task = toy(4, pictures=1)
    out = scored(task, tmp_path / "run", "constant:yes")
    picture = next((task / "images").rglob("*.png"))
    outside = tmp_path / "outside.png"
    picture.rename(outside)
    picture.symlink_to(outside)
    page = tmp_path / "page"
    write_report([out], page)
    assert "lies outside its folder" in items(page)[0]["pictures"][0]["fault"]
    assert not (page / "pictures").exists()


def test_a_page_is_replaced_and_nothing_else_is(toy, tmp_path):
    out = scored(toy(8), tmp_path / "run", "oracle")
    page = tmp_path / "page"
    write_report([out], page)
    before = {path: path.read_bytes() for path in page.rglob("*") if path.is_file()}
    write_report([out], page)
    assert {path: path.read_bytes() for path in page.rglob("*") if path.is_file()} == before
    assert read_stats(page).command == "medevalkit report"
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("all of it")
    with pytest.raises(SettingsError, match="name another --out"):
        write_report([out], other)
    with pytest.raises(SettingsError, match="name another --out"):
        write_report([out], out)
    assert (other / "thesis.txt").read_text() == "all of it"


def test_a_run_that_was_not_scored_is_refused(toy, tmp_path):
    out = scored(toy(8), tmp_path / "run", "oracle")
    with pytest.raises(SettingsError, match="named twice"):
        write_report([out, out], tmp_path / "page")
    (out / "scores" / "official" / "manifest.json").unlink()
    with pytest.raises(DataError, match="--profile official"):
        write_report([out], tmp_path / "page")
    (out / "scores.json").unlink()
    with pytest.raises(DataError, match="medevalkit score"):
        write_report([out], tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_words_of_models_stay_words(toy, tmp_path):
    evil = "</script><script>document.title = 'owned'</script>"
    out = scored(toy(8), tmp_path / "run", "oracle", f"label={evil}")
    page = tmp_path / "page"
    write_report([out], page)
    assert evil not in (page / "index.html").read_text(encoding="utf-8")


def test_a_long_run_is_cut_into_parts(toy, tmp_path, monkeypatch):
    monkeypatch.setattr("medevalkit.page.parts._PART", 3000)
    monkeypatch.setattr("medevalkit.page.parts.LABELS", 7)
    task = toy(24)
    page = tmp_path / "page"
    write_report([scored(task, tmp_path / "run", "constant:B")], page)
    assert len(index(page)["parts"]) > 2 and sum(index(page)["parts"]) == 24
    assert [one["id"] for one in items(page)] == [record.id for record in Manifest(task)]
    assert len(list((page / "data").glob("labels-*.js"))) == 4
    assert len(items(page, "labels")) == 24
