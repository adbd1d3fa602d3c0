"""A manifest appears whole or not at all, and the same records give the same bytes."""

import hashlib
import json
import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.files import partial_folder
from lingshu_core.manifest import Manifest, Parent, is_finished
from lingshu_core.manifest_writer import ManifestWriter, already_made
from lingshu_core.records import Image, dump_line


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_nothing_is_there_until_the_end(tmp_path, producer, question):
    out = tmp_path / "out"
    with ManifestWriter(out, producer=producer) as writer:
        writer.write(question())
        assert not out.exists() and not is_finished(writer.folder)
    assert is_finished(out) and names(tmp_path) == ["out"]
    assert names(out) == ["manifest.json", "part-00000.jsonl"]


def test_an_exception_leaves_nothing(tmp_path, producer, question):
    with pytest.raises(RuntimeError), ManifestWriter(tmp_path / "out", producer=producer) as writer:
        writer.write(question())
        raise RuntimeError
    assert names(tmp_path) == []


def test_an_error_while_finishing_leaves_nothing(tmp_path, producer, question, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError), ManifestWriter(tmp_path / "out", producer=producer) as writer:
        writer.write(question())
        monkeypatch.setattr(os, "fsync", full)
    assert names(tmp_path) == []


def test_an_empty_manifest_is_one(tmp_path, producer):
    with ManifestWriter(tmp_path / "out", producer=producer):
        pass
    assert list(Manifest(tmp_path / "out")) == [] and len(Manifest(tmp_path / "out")) == 0


def test_an_empty_folder_may_be_there(tmp_path, producer, question):
    (tmp_path / "out").mkdir()
    with ManifestWriter(tmp_path / "out", producer=producer) as writer:
        writer.write(question())
    assert len(Manifest(tmp_path / "out")) == 1


@pytest.mark.parametrize("what", ["folder", "file"])
def test_nothing_is_overwritten(tmp_path, producer, what):
    out = tmp_path / "out"
    if what == "file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "mine").write_text("mine")
    with (
        pytest.raises(SettingsError, match="exists already"),
        ManifestWriter(out, producer=producer),
    ):
        pass
    assert names(tmp_path) == ["out"]


def test_two_writers_of_one_folder(tmp_path, producer, question):
    out = tmp_path / "out"
    with ManifestWriter(out, producer=producer) as first:
        first.write(question())
        with (
            pytest.raises(SettingsError, match="another process is writing"),
            ManifestWriter(out, producer=producer),
        ):
            pass
    assert len(Manifest(out)) == 1


@given(st.lists(st.integers(0, 300), min_size=1, max_size=30), st.integers(1, 900))
def test_parts_end_with_the_line_that_fills_them(
    tmp_path_factory, producer, question, sizes, part_bytes
):
    out = tmp_path_factory.mktemp("parts") / "out"
    records = [question(n, question="?" * (size + 1)) for n, size in enumerate(sizes)]
    with ManifestWriter(out, producer=producer, part_bytes=part_bytes) as writer:
        for record in records:
            writer.write(record)
    expected, part = [], b""
    for record in records:
        part += dump_line(record) + b"\n"
        if len(part) >= part_bytes:
            expected.append(part)
            part = b""
    expected += [part] if part else []
    assert [path.read_bytes() for path in sorted(out.glob("part-*"))] == expected
    Manifest(out).verify_parts()


def test_buffering_does_not_move_the_parts(tmp_path, make_manifest, parts, monkeypatch):
    one = make_manifest(tmp_path / "one", range(50), part_bytes=3000)
    monkeypatch.setattr("lingshu_core.manifest_writer._BLOCK", 1)
    other = make_manifest(tmp_path / "other", range(50), part_bytes=3000)
    assert parts(one) == parts(other) and len(parts(one)) > 3


def test_pictures_are_kept_once_under_their_hash(tmp_path, producer, png):
    with ManifestWriter(tmp_path / "out", producer=producer) as writer:
        (tmp_path / "a.png").write_bytes(png())
        one, other = (
            writer.add_file(png(), suffix=".png"),
            writer.add_file(tmp_path / "a.png", suffix=".png"),
        )
        volume = writer.add_file(b"voxels", suffix=".nii.gz", folder="files")
    assert one == other and one.path == f"images/{one.sha256[:2]}/{one.sha256}.png"
    assert volume.path.startswith("files/") and volume.path.endswith(".nii.gz")
    assert sum(1 for path in (tmp_path / "out").rglob("*") if path.suffix == ".png") == 1


def test_pictures_follow_their_record(tmp_path, manifest, producer):
    source = Manifest(manifest)
    with ManifestWriter(tmp_path / "out", producer=producer) as writer:
        for record in source:
            writer.write(record, source=source)
    for record in Manifest(tmp_path / "out"):
        one, other = (Manifest(m).file(record.images[0]) for m in (manifest, tmp_path / "out"))
        assert one.samefile(other)


def test_a_missing_picture_is_noticed_while_copying(tmp_path, manifest, producer):
    source = Manifest(manifest)
    record = next(iter(source))
    source.file(record.images[0]).unlink()
    with (
        pytest.raises(DataError, match="there is no file") as caught,
        ManifestWriter(tmp_path / "out", producer=producer) as writer,
    ):
        writer.write(record, source=source)
    assert caught.value.record == record.id


def _named(tmp_path, name, data, path, producer, question):
    """A manifest of one record whose picture has a name of its own, as another tool may write."""
    image = Image(path=path, sha256=hashlib.sha256(data).hexdigest(), width=16, height=8)
    with ManifestWriter(tmp_path / name, producer=producer) as writer:
        writer.write(question(0, id=name, images=(image,)))
    (tmp_path / name / path).parent.mkdir(exist_ok=True)
    (tmp_path / name / path).write_bytes(data)
    return Manifest(tmp_path / name)


def test_two_pictures_of_one_name_do_not_stand_for_each_other(tmp_path, producer, question, png):
    one = _named(tmp_path, "one", png(colour=(1, 0, 0)), "images/1.png", producer, question)
    same = _named(tmp_path, "same", png(colour=(1, 0, 0)), "images/1.png", producer, question)
    other = _named(tmp_path, "other", png(colour=(2, 0, 0)), "images/1.png", producer, question)
    with ManifestWriter(tmp_path / "out", producer=producer) as writer:
        for source in (one, same):
            writer.write(next(iter(source)), source=source)
        with pytest.raises(DataError, match="has the name"):
            writer.write(next(iter(other)), source=other)


@pytest.mark.parametrize("path", ["part-00000.jsonl", "manifest.json"])
def test_a_picture_cannot_stand_for_the_manifest_itself(tmp_path, manifest, producer, path):
    source = Manifest(manifest)
    record = next(iter(source))
    record = record.replace(images=(record.images[0].model_copy(update={"path": path}),))
    before = (manifest / path).read_bytes()
    with (
        pytest.raises(DataError, match="belongs to the manifest"),
        ManifestWriter(tmp_path / "out", producer=producer) as writer,
    ):
        writer.write(record, source=source)
    assert (manifest / path).read_bytes() == before


def _leave_behind(out, producer, question, png):
    """What a writer leaves that is killed: its folder, with a picture, a part and a header."""
    child = os.fork()
    if child == 0:
        with ManifestWriter(out, producer=producer, part_bytes=10) as writer:
            writer.add_file(png(), suffix=".png")
            writer.write(question(question="?" * (1 << 20)))
            (writer.folder / "manifest.json").write_text("{}")
            (writer.folder / "images" / ".a.png.1.tmp").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    folder = partial_folder(out)
    assert is_finished(folder) and (folder / "part-00000.jsonl").is_file()
    return folder


def test_what_a_killed_writer_left_is_taken_over(tmp_path, producer, question, png):
    out = tmp_path / "out"
    folder = _leave_behind(out, producer, question, png)
    with ManifestWriter(out, producer=producer) as writer:
        assert not is_finished(folder)
        assert [path.suffix for path in folder.rglob("*") if path.is_file()] == ["", ".png"]
        writer.write(question(1))
    assert [record.id for record in Manifest(out)] == ["tiny/0001"]
    assert names(out) == ["images", "manifest.json", "part-00000.jsonl"]


def test_what_other_settings_left_is_not(tmp_path, producer, question, png):
    out = tmp_path / "out"
    _leave_behind(out, producer, question, png)
    other = producer.model_copy(update={"settings": "other"})
    with ManifestWriter(out, producer=other):
        pass
    assert names(out) == ["manifest.json"]
    _leave_behind(tmp_path / "b", producer, question, png)
    with ManifestWriter(tmp_path / "b", producer=producer, parents=[Parent(path="a", digest="1")]):
        pass
    assert names(tmp_path / "b") == ["manifest.json"]


def test_made_already(tmp_path, producer, question):
    out, parent = tmp_path / "out", Parent(path="a", digest="1")
    assert not already_made(out, producer, [parent])
    with ManifestWriter(out, producer=producer, parents=[parent]) as writer:
        writer.write(question())
    assert already_made(out, producer, [parent])
    assert already_made(out, producer, [Parent(path="moved", digest="1")])
    with pytest.raises(SettingsError, match="other inputs"):
        already_made(out, producer, [Parent(path="a", digest="2")])
    with pytest.raises(SettingsError, match="other settings"):
        already_made(out, producer.model_copy(update={"settings": "x"}), [parent])


def test_the_header_tells_who_made_it(tmp_path, producer, question):
    parent = Parent(path="a", digest="1")
    with ManifestWriter(tmp_path / "out", producer=producer, parents=[parent]) as writer:
        writer.write(question())
    header = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert header["producer"] == producer.model_dump()
    assert header["parents"] == [{"path": "a", "digest": "1"}]
    assert header["records"] == {"question": {"count": 1, "schema": 1}}
    assert header["created"].endswith("+00:00")
