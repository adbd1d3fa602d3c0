"""Lengths are measured once and kept beside the mixture, and no picture is decoded for them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lingshu_core.manifest import Manifest
from lingshu_train import lengths
from lingshu_train.lengths import Lengths, lengths_of, measure
from lingshu_train.runner import load_processor
from lingshu_train.samples import Codec


@pytest.fixture
def codec(base: Path) -> Codec:
    return Codec(load_processor(base), max_length=512)


@pytest.fixture
def own(tmp_path: Path, mixture: Path) -> Manifest:
    """A copy of the mixture that nobody has measured."""
    leave = shutil.ignore_patterns(".lengths")
    return Manifest(shutil.copytree(mixture, tmp_path / "own", ignore=leave))


def same(one: Lengths, other: Lengths) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("part", "offset", "size", "tokens", "supervised", "patches", "traits", "draw")
    )


def test_they_are_measured_once(
    own: Manifest, base: Path, codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = lengths_of(own, codec)

    def again(*_: object, **__: object) -> Lengths:
        raise AssertionError("measured again")

    monkeypatch.setattr(lengths, "measure", again)
    assert same(lengths_of(own, codec), first)
    with pytest.raises(AssertionError):  # what decides them is another
        lengths_of(own, Codec(load_processor(base), max_length=64))


def test_no_picture_is_opened(own: Manifest, codec: Codec) -> None:
    before = measure(own, codec)
    assert before.patches.any()
    for path in own.path.rglob("*.png"):
        path.unlink()
    assert same(measure(own, codec), before)


def test_they_are_those_of_the_samples(own: Manifest, codec: Codec) -> None:
    found = lengths_of(own, codec)
    samples = [codec.encode(record) for record in own]
    assert found.tokens.tolist() == [sample.tokens for sample in samples]
    assert found.supervised.tolist() == [sample.supervised for sample in samples]
    assert found.patches.tolist() == [sample.patches for sample in samples]


def test_a_record_that_cannot_be_learned_from_is_set_aside_with_its_reason(
    tmp_path: Path, mixture: Path, codec: Codec
) -> None:
    lines = Manifest(mixture).parts[0].read_text(encoding="utf-8").splitlines()
    path = tmp_path / "plain.jsonl"
    path.write_text("\n".join([lines[0], '{"type": "question"}', lines[1]]) + "\n")
    found = lengths_of(Manifest(path), codec)
    assert len(found) == 2
    (aside,) = found.set_aside
    assert aside.place.endswith("plain.jsonl:2") and aside.reason


def test_where_the_spans_end_does_not_matter(
    own: Manifest, codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = measure(own, codec)
    monkeypatch.setattr(lengths, "_SPAN", 777)
    assert same(measure(own, codec), before)


@pytest.mark.slow
def test_several_processes_measure_the_same(
    tmp_path: Path, write: Callable[..., Path], codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = Manifest(write(tmp_path / "more", 200))
    before = measure(manifest, codec)
    monkeypatch.setattr(lengths, "_FEW", 0)
    monkeypatch.setattr(lengths, "_SPAN", 10_000)
    assert same(measure(manifest, codec, workers=2), before)


def test_a_folder_that_cannot_be_written_to_is_measured_each_time(
    own: Manifest, codec: Codec, capsys: pytest.CaptureFixture[str]
) -> None:
    (own.path / ".lengths").write_text("in the way")
    first = lengths_of(own, codec)
    assert "cannot be kept beside it" in capsys.readouterr().err
    assert same(lengths_of(own, codec), first)
