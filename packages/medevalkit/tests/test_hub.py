"""Benchmarks and models by their names on the hub, from a cache as huggingface_hub lays it out."""

import io
import json
import os
import subprocess
import sys
import zipfile

import pytest

from lingshu_core.manifest import Manifest
from lingshu_core.records import Prediction
from medevalkit.benchmark import BENCHMARKS

pytestmark = pytest.mark.slow
COMMIT = "3e1f" * 10
EXAM = {
    "question": "A man has a fever. What is next?",
    "answer": "Culture",
    "options": {"A": "Culture", "B": "Surgery"},
    "meta_info": "step1",
    "answer_idx": "A",
}


def medevalkit(*words, cache):
    command = [sys.executable, "-m", "medevalkit", *map(str, words)]
    environment = {**os.environ, **cache.environment, "LINGSHU_PLUGINS": "0"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def prepared(name, cache, files, tmp_path, *, commit=None):
    """Returns the records that `prepare NAME` makes of a cached snapshot, and what it said."""
    card = BENCHMARKS.get(name).card
    cache.put(card.source, commit or card.revision, files, "dataset")
    ended = medevalkit("prepare", name, "--data", tmp_path / "data", cache=cache)
    assert ended.returncode == 0, ended.stderr
    return list(Manifest(tmp_path / "data" / name)), ended.stderr


def parquet(rows):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet as files

    sink = io.BytesIO()
    files.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def test_a_benchmark_at_the_commit_of_its_card(hub_cache, tmp_path):
    files = {"phrases_no_exclude_test.jsonl": json.dumps(EXAM).encode(), "README.md": b"a card"}
    (found,), said = prepared("medqa-usmle", hub_cache, files, tmp_path)
    assert (found.question, found.answer) == (EXAM["question"], "A")
    assert "1 items where the whole benchmark has 1273" in said
    again = medevalkit("prepare", "medqa-usmle", "--data", tmp_path / "data", cache=hub_cache)
    assert again.returncode == 0 and "prepared already" in again.stderr


def test_another_commit_is_not_taken_for_it(hub_cache, tmp_path):
    files = {"phrases_no_exclude_test.jsonl": json.dumps(EXAM).encode()}
    hub_cache.put("GBaker/MedQA-USMLE-4-options", COMMIT, files, "dataset")
    ended = medevalkit("prepare", "medqa-usmle", "--data", tmp_path / "data", cache=hub_cache)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert "could not be fetched" in ended.stderr and "--from FOLDER" in ended.stderr


def test_a_benchmark_that_nothing_pins_says_what_it_took(hub_cache, tmp_path):
    files = {"test.csv": 'Question,Options,Answer\n哪些?,"A 甲\nB 乙",B\n'.encode()}
    (found,), said = prepared("cmexam", hub_cache, files, tmp_path, commit=COMMIT)
    assert found.answer == "B"
    assert f"nothing pins a commit; took {COMMIT}" in said


def test_pictures_in_parquet(hub_cache, tmp_path, png):
    rows = [
        {"image": {"bytes": png(n), "path": None}, "question": f"Is {n} even?", "answer": "yes"}
        for n in range(3)
    ]
    files = {"data/test-00000-of-00001.parquet": parquet(rows)}
    found, _ = prepared("vqa-rad", hub_cache, files, tmp_path)
    shown = [(tmp_path / "data/vqa-rad" / record.images[0].path).read_bytes() for record in found]
    assert shown == [png(n) for n in range(3)]


def test_pictures_in_an_archive(hub_cache, tmp_path, png):
    row = BENCHMARKS.get("slake").example
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"imgs/{row['img_name']}", png(4))
    files = {"test.json": json.dumps([row]).encode(), "imgs.zip": packed.getvalue()}
    (found,), _ = prepared("slake", hub_cache, files, tmp_path)
    assert (tmp_path / "data/slake" / found.images[0].path).read_bytes() == png(4)


def test_an_archive_that_leaves_its_folder_is_refused(hub_cache, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../escaped.png", b"")
    card = BENCHMARKS.get("slake").card
    files = {"test.json": b"[]", "imgs.zip": packed.getvalue()}
    hub_cache.put(card.source, card.revision, files, "dataset")
    ended = medevalkit("prepare", "slake", "--data", tmp_path / "data", cache=hub_cache)
    assert ended.returncode == 3 and "leaves the folder" in ended.stderr
    assert not list(tmp_path.rglob("escaped.png"))


@pytest.mark.parametrize("revision", ["", f"@{COMMIT}", "@main"])
def test_a_model_by_its_name(revision, hub_cache, tiny_model, toy, tmp_path):
    files = {path.name: path.read_bytes() for path in tiny_model.iterdir() if path.is_file()}
    hub_cache.put("acme/tiny", COMMIT, files, "model")
    task, out = toy(2, pictures=1), tmp_path / "out"
    words = ["run", "--model", f"hf:acme/tiny{revision}", "--tasks", f"manifest:{task}"]
    ended = medevalkit(*words, "-o", out, "-s", "sampling.max_new_tokens=4", cache=hub_cache)
    assert ended.returncode == 0, ended.stderr
    assert len(list(Manifest(out / "predictions").of(Prediction))) == 2
    assert COMMIT in json.loads((out / "run.json").read_bytes())["fingerprint"]


def test_a_model_that_is_not_there(hub_cache, toy, tmp_path):
    words = ["run", "--model", "hf:acme/nothing", "--tasks", f"manifest:{toy(2)}"]
    ended = medevalkit(*words, "-o", tmp_path / "out", cache=hub_cache)
    assert ended.returncode == 3 and "Traceback" not in ended.stderr
    assert "acme/nothing is neither a folder nor could it be fetched" in ended.stderr
