"""Datasets out of the hub's cache, laid out here as `huggingface_hub` lays it out."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.records import Source
from lingshu_data.hub import Snapshot, download
from lingshu_data.ingest import ingest
from lingshu_data.intake import Intake
from lingshu_data.settings import Running
from lingshu_data.source import SourceSettings

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cached(tmp_path: Path) -> Path:
    """A snapshot of a text dataset: links to blobs, and the reference of a branch."""
    folder = tmp_path / "hub" / "datasets--lavita--ChatDoctor-iCliniq"
    rows = [
        {"input": "My knee hurts.", "answer_icliniq": "Rest it for a week.", "answer_chatgpt": "-"}
    ]
    blob = folder / "blobs" / hashlib.sha256(b"rows").hexdigest()
    blob.parent.mkdir(parents=True)
    parquet.write_table(pa.Table.from_pylist(rows), blob)
    snapshot = folder / "snapshots" / COMMIT
    link = snapshot / "data" / "train-00000-of-00001.parquet"
    link.parent.mkdir(parents=True)
    link.symlink_to(os.path.relpath(blob, link.parent))
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT, encoding="ascii")
    return snapshot


@pytest.mark.slow
def test_the_command_finds_a_dataset_in_the_cache_without_a_network(cached, tmp_path):
    command = [sys.executable, "-m", "lingshu_data", "ingest", "icliniq", "--hub", "--out", "out"]
    cache = str(tmp_path / "hub")
    env = {**os.environ, "HF_HUB_CACHE": cache, "HF_HUB_OFFLINE": "1"}
    subprocess.run(command, env=env, cwd=tmp_path, check=True, capture_output=True)
    manifest = Manifest(tmp_path / "out")
    assert len(manifest) == 1
    (parent,) = manifest.header.parents
    assert parent.path == f"hf://datasets/lavita/ChatDoctor-iCliniq@{COMMIT}"
    command[4] = "medreason"
    gone = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
    assert gone.returncode == 3 and "cannot be had from the hub" in gone.stderr


def test_a_snapshot_is_known_by_its_place_and_its_links_are_followed(cached, tmp_path):
    found = Snapshot.at(cached)
    assert found == Snapshot("lavita/ChatDoctor-iCliniq", COMMIT, cached.parent.parent)
    assert Snapshot.at(tmp_path / "any" / "folder") is None
    ingest("icliniq", cached, tmp_path / "out", SourceSettings(), Running())
    assert Manifest(tmp_path / "out").header.parents[0].digest == found.parent().digest


def test_links_may_lead_to_the_blobs_and_no_further(cached, tmp_path):
    intake = Intake(Source(dataset="toy", licence="CC0-1.0"), cached, tmp_path / "store")
    name = "data/train-00000-of-00001.parquet"
    assert intake.path(name) == cached / name
    (tmp_path / "secret").write_text("no", encoding="ascii")
    (cached / "way-out").symlink_to(tmp_path / "secret")
    with pytest.raises(DataError, match="leaves its folder"):
        intake.path("way-out")


def test_what_the_hub_does_not_give_is_named(monkeypatch, tmp_path):
    import huggingface_hub

    def refuse(*_, **__):
        raise ConnectionError("no route to the hub\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(DataError, match="owner/name cannot be had from the hub: no route to the"):
        download("owner/name", "main")
