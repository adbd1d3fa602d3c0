"""A check of a whole manifest finds every fault, each with its place."""

import hashlib
import json

import pytest

from lingshu_core.manifest import Manifest
from lingshu_core.validation import validate


def faults(folder, **options):
    return validate(Manifest(folder), **options).faults


def test_a_good_manifest(manifest):
    found = validate(Manifest(manifest), deep=True)
    assert found.faults == [] and found.records == 4
    assert found.types == {"question": 4} and found.modalities == {"xray": 4}
    assert found.datasets == {"tiny": 4}


def test_a_good_plain_file(manifest):
    assert faults(manifest / "part-00000.jsonl", deep=True) == []


def test_every_fault_is_told(manifest, lines, rewrite):
    found = lines(manifest)
    found[0] = found[0].replace(b'"answer"', b'"answre"')
    found[2] = b"{"
    told = faults(rewrite(manifest, found))
    assert [(fault.line, fault.field) for fault in told] == [(1, "answre"), (3, None)]


def test_a_missing_picture(manifest, lines):
    second = json.loads(lines(manifest)[1])
    (manifest / second["images"][0]["path"]).unlink()
    (told,) = faults(manifest)
    assert (told.path.name, told.line, told.field, told.record) == (
        "part-00000.jsonl", 2, "images.0.path", "tiny/0001",
    )  # fmt: skip


def test_a_changed_picture_is_found_by_its_hash(manifest, lines):
    first = json.loads(lines(manifest)[0])
    (manifest / first["images"][0]["path"]).write_bytes(b"other")
    assert faults(manifest) == []
    (told,) = faults(manifest, deep=True)
    assert told.line == 1 and "changed" in told.message


@pytest.mark.parametrize("kind", ["volume", "masks"])
def test_volumes_and_masks_are_looked_at_too(tmp_path, producer, kind):
    from lingshu_core.manifest_writer import ManifestWriter
    from lingshu_core.records import Image, Imaging, Source

    ref = {"path": "files/a.nii.gz", "sha256": "0" * 64}
    volume = {**ref, "shape": (1, 1, 1), "spacing": (1, 1, 1), "orientation": "RAS"}
    extra = {"volume": volume} if kind == "volume" else {"masks": ({**ref, "labels": {}},)}
    with ManifestWriter(tmp_path / "out", producer=producer) as writer:
        image = Image(**writer.add_file(b"a", suffix=".png").model_dump(), width=1, height=1)
        source = Source(dataset="a", licence="")
        writer.write(Imaging(id="a", source=source, modality="ct", images=(image,), **extra))
    (told,) = faults(tmp_path / "out")
    assert told.field == ("volume.path" if kind == "volume" else "masks.0.path")


def test_a_cut_last_line_is_named_by_size_and_line(manifest):
    part = manifest / "part-00000.jsonl"
    part.write_bytes(part.read_bytes()[:-20])
    size, line = faults(manifest)
    assert "bytes" in size.message and (line.path, line.line) == (part, 4)


def test_a_missing_part_does_not_hide_the_others(tmp_path, make_manifest):
    folder = make_manifest(tmp_path / "many", range(12), part_bytes=1000)
    parts = sorted(folder.glob("part-*"))
    assert len(parts) > 2
    parts[0].unlink()
    parts[2].write_bytes(b"{}\n" + parts[2].read_bytes()[3:])
    told = faults(folder)
    assert told[0].path == parts[0] and "cannot be read" in told[0].message
    assert {fault.path for fault in told[1:]} == {parts[2]}


def test_what_the_header_counts_is_counted(manifest, lines, rewrite):
    path = manifest / "manifest.json"
    header = json.loads(path.read_text())
    header["records"] = {
        "caption": {"count": 1, "schema": 1},
        "question": {"count": 3, "schema": 1},
    }
    path.write_text(json.dumps(header))
    assert [fault.field for fault in faults(manifest)] == [
        "records.caption.count", "records.question.count",
    ]  # fmt: skip


def test_lines_too_many_or_too_few(manifest, lines, rewrite):
    found = lines(manifest)
    assert "ends after 3" in str(faults(rewrite(manifest, found[:3]))[0])
    extra = found[0].replace(b"tiny/0000", b"tiny/0009")
    assert "ends after 5" in str(faults(rewrite(manifest, [*found, extra]))[0])


def test_an_id_stands_once(manifest, lines, rewrite):
    found = lines(manifest)
    (told,) = faults(rewrite(manifest, [*found[:3], found[0]]))
    assert (told.line, told.field, told.record) == (4, "id", "tiny/0000")
    assert "part-00000.jsonl:1" in told.message


def test_it_stops_after_twenty(tmp_path, make_manifest, lines, rewrite):
    folder = make_manifest(tmp_path / "many", range(50), pictures=False)
    told = faults(rewrite(folder, [b"{}"] * 50))
    assert len(told) == 20 and told[-1].line == 20


def test_a_changed_part_with_good_lines(manifest):
    part = manifest / "part-00000.jsonl"
    part.write_bytes(part.read_bytes().replace(b"a chest", b"a wrist"))
    (told,) = faults(manifest)
    assert told.path == part and "hash" in told.message
    assert hashlib.sha256(part.read_bytes()).hexdigest() not in str(told)
