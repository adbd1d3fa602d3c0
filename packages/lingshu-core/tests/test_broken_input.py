"""Broken input through the real command line: exit 3, the place named, nothing written."""

import json

import pytest

WRITERS = {
    "merge": ("merge", "{input}", "--out", "{out}"),
    "split": ("split", "{input}", "--out", "{out}", "--share", "a=0.5", "--share", "b=0.5"),
    "split-by-publisher": ("split", "{input}", "--out", "{out}"),
    "llava": ("convert", "{input}", "--to", "llava", "--out", "{out}"),
    "openai-chat": ("convert", "{input}", "--to", "openai-chat", "--out", "{out}"),
    "parquet": ("convert", "{input}", "--to", "parquet", "--out", "{out}"),
}
PART = "part-00000.jsonl"


def cut_last_line(folder, lines, rewrite, outside):
    part = folder / PART
    part.write_bytes(part.read_bytes()[:-30])


def cut_last_line_and_header_that_fits(folder, lines, rewrite, outside):
    rewrite(folder, [*lines(folder)[:3], lines(folder)[3][:-30]])


def not_utf8(folder, lines, rewrite, outside):
    rewrite(folder, [lines(folder)[0].replace(b"chest", b"ch\xe9st"), *lines(folder)[1:]])


def _changed(change):
    def harm(folder, lines, rewrite, outside):
        found = lines(folder)
        item = json.loads(found[1])
        change(item)
        rewrite(folder, [found[0], json.dumps(item).encode(), *found[2:]])

    return harm


unknown_field = _changed(lambda item: item.update(finding="none"))
wrong_type = _changed(lambda item: item.update(question=3))
missing_field = _changed(lambda item: item.pop("answer_kind"))
path_above = _changed(lambda item: item["images"][0].update(path="../secret.png"))
path_absolute = _changed(lambda item: item["images"][0].update(path="/etc/hostname"))


def picture_is_missing(folder, lines, rewrite, outside):
    (folder / json.loads(lines(folder)[1])["images"][0]["path"]).unlink()


def picture_is_a_link_out(folder, lines, rewrite, outside):
    picture = folder / json.loads(lines(folder)[1])["images"][0]["path"]
    picture.rename(outside / "secret.png")
    picture.symlink_to(outside / "secret.png")


def folder_of_pictures_is_a_link_out(folder, lines, rewrite, outside):
    (folder / "images").rename(outside / "images")
    (folder / "images").symlink_to(outside / "images")


def part_is_a_link_out(folder, lines, rewrite, outside):
    (folder / PART).rename(outside / "secret.jsonl")
    (folder / PART).symlink_to(outside / "secret.jsonl")


def part_has_another_hash(folder, lines, rewrite, outside):
    (folder / PART).write_bytes((folder / PART).read_bytes().replace(b"chest", b"wrist"))


def part_is_missing(folder, lines, rewrite, outside):
    (folder / PART).unlink()


def _header(change):
    def harm(folder, lines, rewrite, outside):
        path = folder / "manifest.json"
        header = json.loads(path.read_text())
        change(header)
        path.write_text(json.dumps(header))

    return harm


newer_format = _header(lambda header: header.update(format="lingshu-manifest/2"))
newer_schema = _header(lambda header: header["records"]["question"].update(schema=2))
part_leads_out = _header(lambda header: header["parts"][0].update(path="../part-00000.jsonl"))
header_counts_wrong = _header(lambda header: header.update(count=9))


def header_is_no_json(folder, lines, rewrite, outside):
    (folder / "manifest.json").write_text('{"format": "lingshu-manifest/1",\n "count"')


def header_is_missing(folder, lines, rewrite, outside):
    (folder / "manifest.json").unlink()


FAULTS = [
    (cut_last_line, f"{PART}:4: ", "cut or damaged"),
    (cut_last_line_and_header_that_fits, f"{PART}:4: ", "cut or damaged"),
    (not_utf8, f"{PART}:1: ", "cut or damaged"),
    (unknown_field, f"{PART}:2: field finding: ", "unknown"),
    (wrong_type, f"{PART}:2: field question: ", "valid string"),
    (missing_field, f"{PART}:2: ", "field answer_kind: "),
    (path_above, f"{PART}:2: field images.0.path: ", "no path below"),
    (path_absolute, f"{PART}:2: field images.0.path: ", "no path below"),
    (picture_is_missing, f"{PART}:2: record tiny/0001: field images.0.path: ", "there is no file"),
    (picture_is_a_link_out, f"{PART}:2: record tiny/0001: field images.0.path: ", "leaves"),
    (folder_of_pictures_is_a_link_out, f"{PART}:1: record tiny/0000: field images", "leaves"),
    (part_is_a_link_out, PART, "leaves its folder"),
    (part_has_another_hash, f"{PART}: ", "hash"),
    (part_is_missing, f"{PART}: ", "cannot be read"),
    (newer_format, "manifest.json: field format: ", "upgrade lingshu-core"),
    (newer_schema, "manifest.json: field records.question: ", "upgrade lingshu-core"),
    (part_leads_out, "manifest.json: field parts.0.path: ", "match pattern"),
    (header_counts_wrong, "manifest.json: ", "count is 9"),
    (header_is_no_json, "manifest.json:2: ", "cut or damaged"),
    (header_is_missing, "four: ", "not finished"),
]


@pytest.fixture
def broken(tmp_path, manifest, lines, rewrite):
    """Returns a function that breaks a manifest of four records."""
    outside = tmp_path / "outside"
    outside.mkdir()

    def harm(fault):
        fault(manifest, lines, rewrite, outside)
        return manifest

    return harm


each_fault = pytest.mark.parametrize(
    ("fault", "place", "message"), [pytest.param(*f, id=f[0].__name__) for f in FAULTS]
)


@each_fault
def test_validate_names_the_place(broken, lingshu, fault, place, message):
    done = lingshu("manifest", "validate", broken(fault))
    assert done.returncode == 3 and "all good" not in done.stdout
    told = [line for line in done.stderr.splitlines() if place in line]
    assert told and told[0].startswith("error: ") and message in told[0], done.stderr
    assert "Traceback" not in done.stderr


@each_fault
@pytest.mark.parametrize(
    "writer", ["merge", *(pytest.param(w, marks=pytest.mark.slow) for w in list(WRITERS)[1:])]
)
def test_nothing_is_written(broken, lingshu, tmp_path, writer, fault, place, message):
    if writer == "parquet":
        pytest.importorskip("pyarrow")
    folder = broken(fault)
    words = [word.format(input=folder, out=tmp_path / "out") for word in WRITERS[writer]]
    done = lingshu("manifest", *words)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: ") and len(done.stderr.splitlines()) == 1
    assert place in done.stderr and message in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["four", "outside"]


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[:-40],
        lambda data: data.replace(b"chest", b"ch\xe9st"),
        lambda data: data.replace(b'"answer"', b'"answre"', 1),
        lambda data: data + b"\n",
        lambda data: b"\xff\xfe" + data,
    ],
)
def test_a_plain_file_is_checked_line_by_line(manifest, lingshu, tmp_path, harm):
    plain = tmp_path / "plain.jsonl"
    plain.write_bytes(harm((manifest / PART).read_bytes()))
    for words in (("validate", plain), ("merge", plain, "--out", tmp_path / "out")):
        done = lingshu("manifest", *words)
        assert done.returncode == 3 and "Traceback" not in done.stderr
        assert f"error: {plain}:" in done.stderr
    assert not (tmp_path / "out").exists()
