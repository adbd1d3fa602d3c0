"""Every foreign format: what is written is read, and a broken file is refused with its place."""

import base64
import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lingshu_core.conversion import convert_from, convert_to
from lingshu_core.converter import CONVERTERS, conversation
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.messages import to_messages
from lingshu_core.panels import read_stats
from lingshu_core.records import (
    IMAGE_MARK,
    Caption,
    Dialogue,
    Image,
    Imaging,
    Instruction,
    Option,
    Report,
    Turn,
)
from lingshu_core.validation import validate

FORMATS = CONVERTERS.names()
FILES = {"llava": "data.json", "openai_chat": "data.jsonl", "sharegpt": "data.json", "parquet": ""}
NAMES = [name for name in FORMATS if name != "parquet"]


def read_back(path, out, name, **options):
    given = {"images": None, "dataset": "back", "licence": "CC0-1.0", **options}
    return convert_from(path / FILES[name] if path.is_dir() else path, out, name, **given)


@pytest.fixture(autouse=True)
def with_pyarrow(request):
    if "parquet" in request.node.name or "arrow" in request.node.name:
        pytest.importorskip("pyarrow")


@pytest.fixture
def conversations(tmp_path, producer, question, png):
    """A manifest of every kind of record that can be put as messages, with 0 to 2 pictures."""
    common = {"source": question().source, "modality": "xray"}
    with ManifestWriter(tmp_path / "all", producer=producer) as writer:
        pictures = [
            Image(
                **writer.add_file(png(colour=(0, n, 0)), suffix=".png").model_dump(),
                width=16,
                height=8,
            )
            for n in range(2)
        ]
        options = tuple(Option(letter=letter, text=f"<{letter}>") for letter in "ABC")
        said = ["What is <image>?", "A <chest>.", "And <image>?", 'An "arm".']
        turns = [("assistant" if n % 2 else "user", text) for n, text in enumerate(said)]
        for record in (
            question(1, images=pictures[:1]),
            question(2, question="Ist <image> wie <image>?", images=pictures, language="de"),
            question(3, answer_kind="choice", options=options, answer="B"),
            question(4, rationale="Because.", language="zh"),
            Caption(**common, id="c", text="Ein Thorax – 胸部.\nZwei Zeilen.", images=pictures[:1]),
            Report(**common, id="r", findings="Clear.", impression="Normal.", images=pictures),
            Instruction(**common, id="i", instruction="Do.", response="Done.", system="Be kind."),
            Dialogue(
                **common,
                id="d",
                images=pictures,
                turns=[Turn(role=role, text=text) for role, text in turns],
            ),
        ):
            writer.write(record)
    return tmp_path / "all"


def said(folder):
    """What is said in every record, with the pictures in their places."""
    found = Manifest(folder)
    return [
        [
            (message.role, piece.text, piece.image and found.file(piece.image).read_bytes())
            for message in to_messages(record)
            for piece in message.content
        ]
        for record in found
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_conversations_survive(tmp_path, conversations, name):
    assert convert_to(conversations, tmp_path / "there", name) == 8
    assert read_back(tmp_path / "there", tmp_path / "back", name) == 8
    assert said(tmp_path / "back") == said(conversations)
    assert validate(Manifest(tmp_path / "back"), deep=True).faults == []


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_manifest_gives_the_same_bytes(tmp_path, conversations, parts, name):
    for run in ("one", "two"):
        convert_to(conversations, tmp_path / run, name)
        read_back(tmp_path / run, tmp_path / f"{run}-back", name)
    accounts = {"stats.json", "index.html", "settings.json"}
    files = [
        {
            path.relative_to(tmp_path / run): path.read_bytes()
            for path in (tmp_path / run).rglob("*")
            if path.is_file() and path.name not in accounts
        }
        for run in ("one", "two")
    ]
    assert files[0] == files[1]
    assert parts(tmp_path / "one-back") == parts(tmp_path / "two-back")


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_manifest(tmp_path, make_manifest, name):
    make_manifest(tmp_path / "none", [])
    assert convert_to(tmp_path / "none", tmp_path / "there", name) == 0
    assert read_back(tmp_path / "there", tmp_path / "back", name) == 0


@pytest.mark.parametrize("name", FORMATS)
def test_given_again_it_does_nothing(tmp_path, conversations, name, capsys):
    for _ in range(2):
        assert convert_to(conversations, tmp_path / "there", name) == 8
        assert read_back(tmp_path / "there", tmp_path / "back", name) == 8
    assert capsys.readouterr().err.count("is there already") == 2
    assert read_stats(tmp_path / "there").counts == {"out": 8}
    assert read_stats(tmp_path / "back").counts == {"in": 8, "repeated": 0, "out": 8}
    with pytest.raises(SettingsError, match="other settings"):
        read_back(tmp_path / "there", tmp_path / "back", name, licence="other")


def test_parquet_keeps_whole_records(tmp_path, producer, question, png, parts):
    with ManifestWriter(tmp_path / "all", producer=producer) as writer:
        image = Image(
            **writer.add_file(png(), suffix=".png").model_dump(), width=16, height=8, slice=3
        )
        volume = writer.add_file(b"voxels", suffix=".nii.gz", folder="files").model_dump()
        mask = writer.add_file(b"mask", suffix=".nii.gz", folder="files").model_dump()
        writer.write(
            Imaging(
                id="i",
                source=question().source,
                modality="ct",
                images=(image,),
                volume={**volume, "shape": (2, 2, 2), "spacing": (1, 1, 2), "orientation": "LPS"},
                masks=({**mask, "labels": {"1": "liver"}},),
                metadata={"kvp": 120.0, "n": 3, "contrast": True, "kernel": "B30f"},
            )
        )
        writer.write(question(1, tags={"topic": "organ"}))
    convert_to(tmp_path / "all", tmp_path / "there", "parquet")
    read_back(tmp_path / "there", tmp_path / "back", "parquet")
    assert parts(tmp_path / "back") == parts(tmp_path / "all")
    assert validate(Manifest(tmp_path / "back"), deep=True).faults == []


def test_parquet_ends_a_group_by_bytes(tmp_path, manifest, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("lingshu_core.converters.parquet._BYTES", 1)
    convert_to(manifest, tmp_path / "there", "parquet")
    (path,) = (tmp_path / "there").rglob("*.parquet")
    assert parquet.ParquetFile(path).num_row_groups >= 4
    assert read_back(tmp_path / "there", tmp_path / "back", "parquet") == 4


@pytest.mark.slow
def test_datasets_reads_the_parquet_folder(tmp_path, conversations):
    datasets = pytest.importorskip("datasets")
    pytest.importorskip("PIL")
    convert_to(conversations, tmp_path / "there", "parquet")
    found = datasets.load_dataset(str(tmp_path / "there"), cache_dir=str(tmp_path / "cache"))
    rows = list(found["train"])
    assert [row["id"] for row in rows] == [record.id for record in Manifest(conversations)]
    assert rows[0]["images"][0].size == (16, 8)
    assert rows[0]["images"][0].getpixel((0, 0)) == (0, 0, 0)
    assert rows[1]["images"][1].getpixel((0, 0)) == (0, 1, 0)
    for row, record in zip(rows, Manifest(conversations), strict=True):
        assert [(turn["role"], turn["content"]) for turn in row["messages"]] == [
            (message.role, text) for message, text in conversation(record)
        ]
    found["train"].filter(lambda row: row["type"] == "question").to_parquet(tmp_path / "q.parquet")
    assert read_back(tmp_path / "q.parquet", tmp_path / "back", "parquet") == 4


@pytest.mark.parametrize("style", ["chat", "sharegpt"])
def test_somebody_else_s_parquet(tmp_path, png, style):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    turns = [("user", "<image>What?"), ("assistant", "A chest.")]
    if style == "chat":
        row = {
            "messages": [{"role": role, "content": text} for role, text in turns],
            "images": [{"bytes": png(), "path": "a.png"}],
        }
    else:
        names = {"user": "human", "assistant": "gpt"}
        row = {
            "id": "a",
            "conversations": [{"from": names[role], "value": text} for role, text in turns],
            "image": {"bytes": png(), "path": None},
        }
    parquet.write_table(pa.Table.from_pylist([row, row]), tmp_path / "a.parquet")
    assert read_back(tmp_path / "a.parquet", tmp_path / "back", "parquet") == 1
    (record,) = Manifest(tmp_path / "back")
    assert (record.instruction, record.response) == ("<image>What?", "A chest.")
    assert read_stats(tmp_path / "back").counts == {"in": 2, "repeated": 1, "out": 1}


def test_pictures_inside_a_chat_file(tmp_path, png):
    url = "data:image/png;base64," + base64.b64encode(png()).decode()
    content = [
        {"type": "text", "text": "What is "},
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "?"},
    ]
    messages = [{"role": "user", "content": content}, {"role": "assistant", "content": "A chest."}]
    (tmp_path / "a.jsonl").write_text(json.dumps({"messages": messages}) + "\n")
    assert read_back(tmp_path / "a.jsonl", tmp_path / "back", "openai_chat") == 1
    (record,) = Manifest(tmp_path / "back")
    assert record.instruction == "What is <image>?" and record.images[0].width == 16


def test_the_folder_of_pictures_can_be_named(tmp_path, png):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.PNG").write_bytes(png())
    turns = [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "A chest."}]
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"image": "a.PNG", "conversations": turns}]))
    assert read_back(path, tmp_path / "back", "llava", images=tmp_path / "pictures") == 1
    (record,) = Manifest(tmp_path / "back")
    assert record.images[0].path.endswith(".png") and record.modality == "unknown"
    assert record.source.dataset == "back"


def test_records_that_are_no_conversation(tmp_path, producer, question, png):
    with ManifestWriter(tmp_path / "all", producer=producer) as writer:
        image = Image(**writer.add_file(png(), suffix=".png").model_dump(), width=16, height=8)
        source = question().source
        writer.write(Imaging(id="i", source=source, modality="ct", images=(image,)))
    for name in NAMES:
        with pytest.raises(DataError, match="cannot be put as messages") as caught:
            convert_to(tmp_path / "all", tmp_path / "out", name)
        assert (caught.value.path, caught.value.record) == (tmp_path / "all", "i")
        assert not (tmp_path / "out").exists()


def test_without_pyarrow(tmp_path, manifest, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr("lingshu_core.converters.parquet.import_module", missing)
    with pytest.raises(SettingsError, match=r"lingshu-core\[parquet\]"):
        convert_to(manifest, tmp_path / "out", "parquet")


_said = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
    lambda text: text.strip() and IMAGE_MARK not in text
)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(_said, min_size=4, max_size=4), system=st.none() | _said)
@pytest.mark.parametrize("name", NAMES)
def test_any_text_survives(tmp_path_factory, producer, question, name, texts, system):
    folder = tmp_path_factory.mktemp("any")
    turns = [Turn(role="assistant" if n % 2 else "user", text=text) for n, text in enumerate(texts)]
    assume(texts[:2] != texts[2:])
    lead = [] if system is None else [Turn(role="system", text=system)]
    common = {"source": question().source, "modality": "text"}
    with ManifestWriter(folder / "all", producer=producer) as writer:
        writer.write(Dialogue(**common, id="d", turns=(*lead, *turns)))
        writer.write(
            Instruction(**common, id="i", instruction=texts[0], response=texts[1], system=system)
        )
    convert_to(folder / "all", folder / "there", name)
    read_back(folder / "there", folder / "back", name)
    assert said(folder / "back") == said(folder / "all")
