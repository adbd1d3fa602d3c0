"""Reading manifests: in order, in a stream, and every fault with its place."""

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu_core.errors import DataError
from lingshu_core.manifest import FORMAT, Header, Manifest, check_format, is_finished
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import TYPES, Caption, Question, dump_line


def test_the_records_come_in_order(manifest, lines):
    found = Manifest(manifest)
    assert [dump_line(record) for record in found] == lines(manifest)
    assert len(found) == 4 and len(list(found.of(Question))) == 4
    assert list(found.of(Caption)) == []
    assert found.header.records["question"].count == 4


def test_a_plain_file_is_a_manifest_without_a_header(manifest):
    plain = Manifest(manifest / "part-00000.jsonl")
    assert list(plain) == list(Manifest(manifest))
    assert len(plain) == 4 and plain.header is None
    assert plain.digest() != Manifest(manifest).digest()
    plain.verify_parts()
    assert plain.file(next(iter(plain)).images[0]).is_file()


def test_the_root_of_pictures_can_be_named(manifest, tmp_path):
    (tmp_path / "lines").mkdir()
    part = (manifest / "part-00000.jsonl").rename(tmp_path / "lines" / "a.jsonl")
    record = next(iter(Manifest(part)))
    with pytest.raises(DataError, match="there is no file"):
        Manifest(part).file(record.images[0])
    assert Manifest(part, root=manifest).file(record.images[0]).is_file()


def test_the_digest_is_of_the_records_alone(tmp_path, make_manifest):
    one, other = make_manifest(tmp_path / "one"), make_manifest(tmp_path / "other")
    changed = make_manifest(tmp_path / "changed", range(5))
    assert Manifest(one).digest() == Manifest(other).digest() != Manifest(changed).digest()
    assert Manifest(one).parent().digest == Manifest(one).digest()


@settings(max_examples=8)
@given(st.lists(st.one_of(*map(st.from_type, TYPES.values())), max_size=6))
def test_what_is_written_is_read(tmp_path_factory, producer, records):
    out = tmp_path_factory.mktemp("written") / "out"
    with ManifestWriter(out, producer=producer, part_bytes=400) as writer:
        for record in records:
            writer.write(record)
    found = Manifest(out)
    assert list(found) == records and len(found) == len(records)
    found.verify_parts()


def _fault(folder):
    with pytest.raises(DataError) as caught:
        list(Manifest(folder))
    return caught.value


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (lambda item: {**item, "answr": "a"}, "answr", "unknown"),
        (lambda item: {**item, "question": 3}, "question", "valid string"),
        (lambda item: {**item, "type": "qestion"}, "type", "qestion"),
        (lambda item: {"id": "a"}, "type", "type"),
        (lambda item: {**item, "id": None}, "id", "valid string"),
        (lambda item: {**item, "source": {"dataset": "a"}}, "source.licence", "required"),
        (lambda item: {**item, "answer_kind": "choice"}, None, "two or more options"),
        (lambda item: {**item, "images": [{**item["images"][0], "path": "../a"}]},
         "images.0.path", "no path below"),
        (lambda item: {**item, "images": [{**item["images"][0], "width": "16"}]},
         "images.0.width", "valid integer"),
    ],
)  # fmt: skip
def test_a_broken_record_is_named(manifest, lines, rewrite, change, field, message):
    found = lines(manifest)
    found[2] = json.dumps(change(json.loads(found[2]))).encode()
    fault = _fault(rewrite(manifest, found))
    assert (fault.path, fault.line, fault.field) == (manifest / "part-00000.jsonl", 3, field)
    assert message in fault.message
    assert f"{fault.path}:3: " in str(fault)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"type":"question","id":"a', "cut or damaged"),
        (b'{"type":"caption","id":"\xff\xfe"}', "cut or damaged"),
        (b"", "cut or damaged"),
        (b"[1, 2]", "object"),
        (b"null", "object"),
        (b"{" * 100_000, "cut or damaged"),
    ],
)
def test_a_line_that_is_no_record(manifest, lines, rewrite, line, message):
    fault = _fault(rewrite(manifest, [*lines(manifest)[:3], line]))
    assert fault.line == 4 and message in fault.message


def test_too_few_lines_are_noticed_while_reading(manifest, lines, rewrite):
    assert "ends after 3 records where the header says 4" in str(
        _fault(rewrite(manifest, lines(manifest)[:3]))
    )


def test_a_changed_part_is_noticed_by_its_hash(manifest):
    part = manifest / "part-00000.jsonl"
    part.write_bytes(part.read_bytes().replace(b"a chest", b"a wrist"))
    with pytest.raises(DataError, match="hash"):
        Manifest(manifest).verify_parts()
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(DataError, match="bytes where the header says"):
        Manifest(manifest).verify_parts()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": "lingshu-manifest/2"}, "format"),
        ({"format": "lingshu-checkpoint/1"}, "format"),
        ({"format": "lingshu-manifest/x"}, "format"),
        ({"format": "lingshu-manifest/" + "9" * 5000}, "format"),
        ({"format": 1}, "format"),
        ({"records": {"question": {"count": 4, "schema": 2}}}, "records.question"),
        ({"records": {"image-pair": {"count": 4, "schema": 1}}}, "records.image-pair"),
        ({"count": -1}, "count"),
        ({"count": 5}, None),
        ({"colour": "red"}, "colour"),
        ({"parts": [{"path": "../part-00000.jsonl"}]}, "parts.0.path"),
        ({"parts": [{"path": "/etc/passwd"}]}, "parts.0.path"),
    ],
)
def test_a_broken_header_is_named(manifest, change, field):
    path = manifest / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    fault = _fault(manifest)
    assert (fault.path, fault.field) == (path, field)


@pytest.mark.parametrize("data", [b"", b"{", b'{"format": ', b"\xff\xfe", b"[]", b"null", b"{}"])
def test_a_header_that_is_none(manifest, data):
    (manifest / "manifest.json").write_bytes(data)
    assert _fault(manifest).path == manifest / "manifest.json"


def test_a_newer_format_is_refused_whatever_else_is_new(manifest):
    (manifest / "manifest.json").write_text('{"format": "lingshu-manifest/2", "shards": []}')
    assert "upgrade lingshu-core" in str(_fault(manifest))


def test_what_is_no_manifest(tmp_path):
    for path, message in (
        (tmp_path, "not finished"),
        (tmp_path / "none", "no such manifest"),
    ):
        with pytest.raises(DataError, match=message):
            Manifest(path)
    (tmp_path / "manifest.json").mkdir()
    assert not is_finished(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        Manifest(tmp_path)


def test_a_missing_part(manifest):
    (manifest / "part-00000.jsonl").unlink()
    assert "cannot be read" in str(_fault(manifest))


def test_a_part_may_not_be_a_link_that_leads_out(manifest, tmp_path):
    part = manifest / "part-00000.jsonl"
    moved = part.rename(tmp_path / "moved.jsonl")
    part.symlink_to(moved)
    assert "leaves its folder" in str(_fault(manifest))


def test_a_picture_may_not_be_outside(manifest, tmp_path, png):
    record = next(iter(Manifest(manifest)))
    picture = manifest / record.images[0].path
    picture.rename(tmp_path / "moved.png")
    with pytest.raises(DataError, match="there is no file"):
        Manifest(manifest).file(record.images[0], record=record.id)
    picture.symlink_to(tmp_path / "moved.png")
    with pytest.raises(DataError, match="leaves its folder"):
        Manifest(manifest).file(record.images[0])
    picture.unlink()
    picture.parent.joinpath("near.png").write_bytes(png())
    picture.symlink_to("near.png")
    assert Manifest(manifest).file(record.images[0]).name == "near.png"


def test_a_name_too_long_for_the_disk(manifest):
    image = next(iter(Manifest(manifest))).images[0]
    with pytest.raises(DataError, match="there is no file"):
        Manifest(manifest).file(image.model_copy(update={"path": "a" * 5000}))


def test_formats_are_compared_by_number(tmp_path):
    check_format(tmp_path, b'{"format": "a/2", "x": 1}', "a/11")
    with pytest.raises(DataError, match="newer"):
        check_format(tmp_path, b'{"format": "a/11"}', "a/2")


def test_the_header_says_its_format(manifest):
    header = Header.model_validate_json((manifest / "manifest.json").read_bytes())
    assert header.format == FORMAT and header.digest() == Manifest(manifest).digest()


def test_reading_streams(tmp_path, make_manifest):
    """Memory allocated while reading is the same for ten times the records."""
    peaks = []
    for name, count in (("first", 10), ("small", 100), ("large", 1000)):
        found = Manifest(make_manifest(tmp_path / name, range(count), pictures=False))
        tracemalloc.start()
        assert sum(1 for _ in found) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] * 1.5
