"""A checkpoint's description: written last, read first, true about its files."""

import json

import pytest

from lingshu_core.checkpoint import (
    Checkpoint,
    checkpoint_parent,
    describe,
    is_checkpoint,
    read_checkpoint,
)
from lingshu_core.errors import DataError


@pytest.fixture
def weights(tmp_path):
    """The files of a checkpoint of two shards, and what stands beside them."""
    folder = tmp_path / "deep"
    apart = ("state/optimizer.pt", "log/steps.jsonl", "rollouts/part-00000.jsonl", ".cache/x")
    for name in (*apart, "stats.json", "index.html", "settings.json", "plotly.min.js"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    for number in (1, 2):
        (folder / f"model-{number}.safetensors").write_text(f"weights {number}")
    names = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def description(producer):
    return Checkpoint(
        stage="deep", recipe="nano/deep", producer=producer, steps=3, samples=12,
        metrics={"loss": 1.5}, versions={"torch": "2.13.0"},
    )  # fmt: skip


def test_a_description_is_read_again(weights, description):
    assert not is_checkpoint(weights)
    written = describe(weights, description)
    assert is_checkpoint(weights)
    assert read_checkpoint(weights, verify=True) == written
    assert written.created and written.stage == "deep"
    assert sorted(written.files) == [
        "config.json", "model-1.safetensors", "model-2.safetensors",
        "model.safetensors.index.json",
    ]  # fmt: skip
    assert checkpoint_parent(weights).digest == written.digest()


def test_the_identity_is_of_what_is_loaded(weights, description):
    before = describe(weights, description).digest()
    (weights / "stats.json").write_text("{}")
    (weights / "state" / "optimizer.pt").unlink()
    assert describe(weights, description.model_copy(update={"steps": 9})).digest() == before
    (weights / "model-1.safetensors").write_text("other weights")
    assert describe(weights, description).digest() != before


def test_a_changed_file(weights, description):
    describe(weights, description)
    (weights / "config.json").write_text('{"a": 1}')
    read_checkpoint(weights)
    with pytest.raises(DataError, match="changed") as caught:
        read_checkpoint(weights, verify=True)
    assert caught.value.path == weights / "config.json"


@pytest.mark.parametrize("name", ["config.json", "model-2.safetensors"])
def test_a_missing_file(weights, description, name):
    describe(weights, description)
    (weights / name).unlink()
    with pytest.raises(DataError, match=f"lacks {name}"):
        read_checkpoint(weights)


def test_a_missing_shard(weights, description):
    (weights / "model-2.safetensors").unlink()
    describe(weights, description)
    with pytest.raises(DataError, match=r"lacks model-2\.safetensors"):
        read_checkpoint(weights)


@pytest.mark.parametrize("text", ["{", "[]", '{"weight_map": 3}', '{"weight_map": {"a": "../b"}}'])
def test_a_broken_index(weights, description, text):
    describe(weights, description)
    index = weights / "model.safetensors.index.json"
    index.write_text(text)
    with pytest.raises(DataError) as caught:
        read_checkpoint(weights)
    assert caught.value.path == index


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"format": "lingshu-checkpoint/2", "stage": 3, "new": 1}, "format", "upgrade"),
        ({"format": "lingshu-manifest/1"}, "format", "is no lingshu-checkpoint"),
        ({"files": {"../../etc/passwd": "0" * 64}}, "files", "no path below"),
        ({"files": {"/etc/passwd": "0" * 64}}, "files", "no path below"),
        ({"steps": -1}, "steps", "greater than or equal to 0"),
        ({"colour": "red"}, "colour", "unknown"),
    ],
)
def test_a_broken_description(weights, description, change, field, message):
    describe(weights, description)
    path = weights / "lingshu.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError, match=message) as caught:
        read_checkpoint(weights)
    assert caught.value.path == path and caught.value.field.startswith(field)


def test_no_description(weights):
    with pytest.raises(DataError, match="not a finished checkpoint"):
        read_checkpoint(weights)


def test_links_may_lead_out(weights, description, tmp_path):
    describe(weights, description)
    (weights / "config.json").rename(tmp_path / "blob")
    (weights / "config.json").symlink_to(tmp_path / "blob")
    read_checkpoint(weights, verify=True)
