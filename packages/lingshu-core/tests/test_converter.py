"""Foreign files that are broken are refused: file, place and reason, and nothing is written."""

import json

import pytest

from lingshu_core.conversion import convert_from, convert_to
from lingshu_core.errors import DataError, SettingsError

FILES = {"llava": "data.json", "openai_chat": "data.jsonl", "sharegpt": "data.json"}
NAMES = sorted(FILES)


def read(path, out, name, **options):
    given = {"images": None, "dataset": "back", "licence": "CC0-1.0", **options}
    return convert_from(path, out, name, **given)


TURNS = {
    "llava": ("conversations", "from", "value", ("human", "gpt")),
    "sharegpt": ("conversations", "from", "value", ("human", "gpt")),
    "openai_chat": ("messages", "role", "content", ("user", "assistant")),
}


def foreign(tmp_path, name, change=lambda item: item, raw=None):
    """Writes a foreign file of three conversations, the second of them changed."""
    key, role, text, roles = TURNS[name]
    items = [
        {"id": f"x{n}", key: [{role: r, text: f"{r} {n}"} for r in roles], "extra": 1}
        for n in range(3)
    ]
    items[1] = change(items[1])
    path = tmp_path / FILES[name]
    if name == "openai_chat":
        path.write_text("".join(json.dumps(item) + "\n" for item in items))
    else:
        path.write_text(json.dumps(items))
    if raw is not None:
        path.write_bytes(raw(path.read_bytes()))
    return path


def refused(path, out, name):
    with pytest.raises(DataError) as caught:
        read(path, out, name)
    assert not out.exists() and not out.with_name(f".{out.name}.partial").exists()
    return caught.value


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda key, role, text, item: {**item, key: None}, ""),
        (lambda key, role, text, item: {**item, key: []}, ""),
        (lambda key, role, text, item: {k: v for k, v in item.items() if k != key}, "missing"),
        (
            lambda key, role, text, item: {**item, key: item[key][:1]},
            "needs a question and an answer",
        ),
        (lambda key, role, text, item: {**item, key: [{**item[key][0], role: "robot"}] * 2}, ""),
        (lambda key, role, text, item: {**item, key: [{**item[key][0], text: " "}] * 2}, "text"),
        (lambda key, role, text, item: {**item, key: [{**item[key][0], text: 3}] * 2}, ""),
        (lambda key, role, text, item: "conversation", ""),
        (lambda key, role, text, item: 3, ""),
    ],
)
def test_a_broken_conversation_is_named(tmp_path, name, change, message):
    key, role, text, _ = TURNS[name]
    path = foreign(tmp_path, name, lambda item: change(key, role, text, item))
    fault = refused(path, tmp_path / "out", name)
    assert fault.path == path and message in str(fault) and "\n" not in str(fault)
    place = fault.line if name == "openai_chat" else fault.record
    assert place in {2, "2", "x1"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (lambda data: data[:-20], "JSON"),
        (lambda data: data.replace(b"x1", b"\xff"), ""),
        (lambda data: b'{"a": 1}', ""),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, raw, message):
    path = foreign(tmp_path, name, raw=raw)
    fault = refused(path, tmp_path / "out", name)
    assert fault.path == path and message in str(fault)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("picture", "message"),
    [
        ("none.png", "there is no picture"),
        ("../outside.png", "leaves its folder"),
        ("/etc/hostname", "leaves its folder"),
        ("link.png", "leaves its folder"),
        ("text.png", "no known format"),
    ],
)
def test_a_picture_that_cannot_be_taken(tmp_path, png, name, picture, message):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "outside.png").write_bytes(png())
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    (folder / "text.png").write_text("no picture")

    def change(item):
        if name == "openai_chat":
            content = [{"type": "image_url", "image_url": {"url": picture}}]
            return {**item, "messages": [{"role": "user", "content": content}, item["messages"][1]]}
        return {**item, "images" if name == "sharegpt" else "image": [picture]}

    path = foreign(folder, name, change)
    fault = refused(path, tmp_path / "out", name)
    assert message in fault.message and fault.path == path
    assert (fault.line if name == "openai_chat" else fault.record) in {2, "x1"}


@pytest.mark.parametrize("name", ["llava", "sharegpt"])
def test_marks_have_to_fit_the_pictures(tmp_path, png, name):
    (tmp_path / "a.png").write_bytes(png())

    def change(item):
        turns = [{**item["conversations"][0], "value": "<image> and <image>"}]
        key = "images" if name == "sharegpt" else "image"
        return {**item, key: ["a.png"], "conversations": turns + item["conversations"][1:]}

    fault = refused(foreign(tmp_path, name, change), tmp_path / "out", name)
    assert "marks 2 pictures" in fault.message and fault.record == "x1"


def test_a_broken_data_url(tmp_path):
    content = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,%%"}}]
    messages = [{"role": "user", "content": content}]
    (tmp_path / "a.jsonl").write_text(json.dumps({"messages": messages}))
    fault = refused(tmp_path / "a.jsonl", tmp_path / "out", "openai_chat")
    assert "data URL" in fault.message and fault.line == 1


def test_parquet_that_is_none(tmp_path):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    path.write_text("no parquet")
    assert "cannot be read as parquet" in str(refused(path, tmp_path / "out", "parquet"))
    (tmp_path / "none").mkdir()
    assert "holds no" in str(refused(tmp_path / "none", tmp_path / "out", "parquet"))
    for row, message in (
        ({"text": "a"}, "no column"),
        ({"record": "{"}, "no JSON"),
        ({"record": '{"type": "caption"}'}, "field id"),
    ):
        parquet.write_table(pa.Table.from_pylist([{"id": "x1", **row}]), path)
        fault = refused(path, tmp_path / "out", "parquet")
        assert message in str(fault) and fault.record == "x1"


def test_a_changed_picture_in_parquet(tmp_path, manifest):
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    convert_to(manifest, tmp_path / "there", "parquet")
    (path,) = (tmp_path / "there").rglob("*.parquet")
    rows = parquet.read_table(path).to_pylist()
    rows[2]["images"][0]["bytes"] += b"x"
    parquet.write_table(pa.Table.from_pylist(rows), path)
    fault = refused(tmp_path / "there", tmp_path / "out", "parquet")
    assert "changed" in fault.message and fault.record == "tiny/0002"


def test_wrong_words(tmp_path, manifest):
    with pytest.raises(SettingsError, match="did you mean 'parquet'"):
        convert_to(manifest, tmp_path / "out", "parket")
    with pytest.raises(SettingsError, match="dataset"):
        read(foreign(tmp_path, "llava"), tmp_path / "out", "llava", dataset="My Data")
