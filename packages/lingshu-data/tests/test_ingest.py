"""A dataset becomes a manifest, and every row and record of it is accounted for."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.panels import read_stats
from lingshu_data.ingest import from_hub, ingest
from lingshu_data.settings import Running
from lingshu_data.source import SourceSettings

ROW = {
    "qid": 1,
    "image_name": "whole.png",
    "image_organ": "HEAD",
    "answer": "Yes",
    "answer_type": "CLOSED",
    "question_type": "PRES",
    "question": "Is the picture bright?",
    "phrase_type": "freeform",
}
KINDS = {
    "good": {},
    "otherwise": {"answer": "No"},
    "no picture": {"image_name": "nowhere.png"},
    "broken picture": {"image_name": "broken.png"},
    "no answer": {"answer": ""},
    "a list": {"question": None},
    "outside": {"image_name": "../../outside.png"},
}


def copy_of(root: Path, kinds: list[str | int]) -> Path:
    """Writes a copy of VQA-RAD; a number stands for a row that is no object."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(0).integers(0, 255, (70, 80), dtype=np.uint8)
    Pillow.fromarray(values).save(root / "images" / "whole.png")
    Pillow.fromarray(values).save(root.parent / "outside.png")
    (root / "images" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    rows = [kind if isinstance(kind, int) else {**ROW, **KINDS[kind]} for kind in kinds]
    (root / "trainset.json").write_text(json.dumps(rows), encoding="utf-8")
    (root / "testset.json").write_text("[]", encoding="utf-8")
    return root


def aside(out: Path) -> list[dict[str, str]]:
    path = out / "set-aside.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.is_file() else []


@given(kinds=st.lists(st.sampled_from([*KINDS, 7]), max_size=12))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_rows_in_are_rows_used_and_set_aside_and_records_made_are_kept_or_repeated(
    kinds, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("ledger")
    root = copy_of(folder / "in", kinds)
    ingest("vqa_rad", root, folder / "out", SourceSettings(), Running())
    counts = read_stats(folder / "out").counts
    good = sum(kind in ("good", "otherwise") for kind in kinds)
    assert counts["rows"] == len(kinds) == counts["used"] + counts["set_aside"]
    assert counts["made"] == good == counts["records"] + counts["repeated"]
    assert (
        counts["records"]
        == len(Manifest(folder / "out"))
        == len({kind for kind in kinds if kind in ("good", "otherwise")})
    )
    told = aside(folder / "out")
    assert len(told) == counts["set_aside"] + counts["repeated"]
    assert all(item["place"] and item["kind"] and item["reason"] for item in told)


def test_what_came_again_stands_whole_in_the_side_manifest(tmp_path):
    root = copy_of(tmp_path / "in", ["good", "good", "no picture"])
    ingest("vqa_rad", root, tmp_path / "out", SourceSettings(), Running())
    (kept,) = Manifest(tmp_path / "out")
    missing, again = sorted(aside(tmp_path / "out"), key=lambda item: item["kind"])
    assert (missing["kind"], missing["place"]) == ("a file is missing", "trainset.json:3")
    assert again["kind"] == "the same record again" and again["place"] == f"record {kept.id}"
    assert json.loads(again["line"])["id"] == kept.id


@pytest.mark.parametrize("name", ["../../outside.png", "x/../../../outside.png", "link.png"])
def test_a_path_that_leaves_the_dataset_is_not_followed(tmp_path, name):
    """What a zip slip is to an archive: nothing here unpacks one, but rows name files."""
    root, secret = copy_of(tmp_path / "data" / "in", ["good"]), tmp_path / "outside.png"
    secret.write_bytes((tmp_path / "data" / "outside.png").read_bytes() + b"secret")
    (root / "images" / "x").mkdir()
    (root / "images" / "link.png").symlink_to(secret)
    (tmp_path / "data" / "outside.png").write_bytes(secret.read_bytes())
    rows = [ROW, {**ROW, "image_name": name, "qid": 2}]
    (root / "trainset.json").write_text(json.dumps(rows), encoding="utf-8")
    ingest("vqa_rad", root, tmp_path / "out", SourceSettings(), Running())
    (item,) = aside(tmp_path / "out")
    assert "leaves its folder" in item["reason"] and len(Manifest(tmp_path / "out")) == 1
    stored = (path.read_bytes() for path in (tmp_path / "out").rglob("*.png"))
    assert not any(data.endswith(b"secret") for data in stored)


def test_a_missing_file_of_the_layout_is_named(tmp_path):
    root = copy_of(tmp_path / "in", ["good"])
    (root / "testset.json").unlink()
    with pytest.raises(DataError, match=r"lacks 'testset\.json'"):
        ingest("vqa_rad", root, tmp_path / "out", SourceSettings(), Running())
    with pytest.raises(SettingsError, match="nowhere: there is no such folder"):
        ingest("vqa_rad", tmp_path / "nowhere", tmp_path / "out", SourceSettings(), Running())


def test_without_a_path_the_error_says_where_the_dataset_is(tmp_path):
    with pytest.raises(SettingsError, match="--path DIR, or --hub to take it from lavita/"):
        ingest("icliniq", None, tmp_path / "out", SourceSettings(), Running())
    with pytest.raises(SettingsError, match=r"a copy from https://osf\.io"):
        ingest("vqa_rad", None, tmp_path / "out", SourceSettings(), Running())
    with pytest.raises(SettingsError, match="vqa_rad is not on the hub"):
        from_hub("vqa_rad")
