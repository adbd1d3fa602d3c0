"""Every record survives its line, and no line says what a record may not."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from lingshu_core.records import (
    RECORD,
    TYPES,
    Box,
    Image,
    Imaging,
    Option,
    Question,
    RelativePath,
    Report,
    Score,
    dump_line,
    json_schema,
)

PATH = TypeAdapter(RelativePath)
ANY = st.one_of(*(st.from_type(kind) for kind in TYPES.values()))


@given(ANY)
def test_a_record_survives_its_line(record):
    line = dump_line(record)
    assert b"\n" not in line
    again = RECORD.validate_json(line, strict=True)
    assert again == record
    assert dump_line(again) == line == RECORD.dump_json(record, exclude_none=True)


@given(ANY)
def test_a_line_is_plain_json(record):
    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    assert json.loads(dump_line(record), parse_constant=refuse)["type"] == record.type


@given(ANY)
def test_texts_and_files_are_what_the_record_holds(record):
    assert set(record.texts()) <= set(_strings(json.loads(dump_line(record))))
    assert {ref.sha256 for ref in record.files()} >= {image.sha256 for image in record.images}


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def test_every_type_is_named_by_its_type():
    for name, kind in TYPES.items():
        assert kind.model_fields["type"].default == name


def test_replace_validates(question):
    record = question()
    assert record.replace(answer="an arm").answer == "an arm"
    assert record.replace().answer == record.answer
    with pytest.raises(ValidationError):
        record.replace(answer=" ")
    with pytest.raises(ValidationError):
        record.replace(anwser="an arm")


def test_records_do_not_change(question):
    with pytest.raises(ValidationError):
        question().answer = "an arm"


def test_a_withheld_answer_survives(question):
    record = question(answer=None)
    assert RECORD.validate_json(dump_line(record), strict=True).answer is None


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_are_finite(number):
    with pytest.raises(ValidationError, match="finite"):
        Box(x=0, y=number, width=1, height=1)
    with pytest.raises(ValidationError, match="finite"):
        Score.model_validate({"metrics": {"f1": number}})


@pytest.mark.parametrize("path", ["a", "a/b.png", ".a/b", "..a", "...", "a b/ü.png", "a/..b/c.."])
def test_a_path_below_the_folder(path):
    assert PATH.validate_python(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "/a", "//a", "../a", "a/../b", "a/..", "..", ".", "./a", "a/.", "a//b", "a/", "a\\b",
     "..\\a", "a\x00b", "a\nb", "a\n", "C:\\a"],
)  # fmt: skip
def test_a_path_that_tries_to_leave(path):
    with pytest.raises(ValidationError):
        PATH.validate_python(path)


@given(
    st.lists(st.sampled_from(["a", ".", "..", "", "b c", "...", ".x"]), min_size=1).map("/".join)
)
def test_whatever_path_is_taken_stays_inside(path):
    try:
        PATH.validate_python(path)
    except ValidationError:
        return
    assert os.path.normpath(f"/top/{path}") == f"/top/{path}"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"answer_kind": "choice"}, "two or more options"),
        ({"answer_kind": "choice", "options": "AA"}, "different letters"),
        ({"answer_kind": "choice", "options": "AB", "answer": "C"}, "not among the letters"),
        ({"answer_kind": "choice", "options": "ABC", "answer": "CA"}, "not among the letters"),
        ({"answer_kind": "open", "options": "AB"}, "has no options"),
        ({"question": " \n"}, "match pattern"),
        ({"id": ""}, "at least 1 character"),
        ({"language": "English"}, "match pattern"),
        ({"modality": "x-ray"}, "Input should be"),
        ({"source": {"dataset": "My Data", "licence": ""}}, "match pattern"),
    ],
)
def test_a_question_that_is_none(question, fields, message):
    options = tuple(Option(letter=letter, text="a") for letter in fields.pop("options", ""))
    with pytest.raises(ValidationError, match=message):
        question(options=options, **fields)


def test_several_letters_can_be_right(question):
    options = tuple(Option(letter=letter, text=letter * 2) for letter in "ABC")
    record = question(answer_kind="choice", options=options, answer="AC")
    assert record.option_text("C") == "CC"
    with pytest.raises(KeyError):
        record.option_text("D")


def test_an_imaging_record_shows_something(question):
    common = {"id": "a", "source": question().source, "modality": "ct"}
    with pytest.raises(ValidationError, match="needs a picture or a volume"):
        Imaging(**common)
    with pytest.raises(ValidationError, match="both empty"):
        Report(**common, findings=" ", impression="")


def test_an_imaging_record_needs_all_its_files(question):
    ref = {"path": "files/a.nii.gz", "sha256": "0" * 64}
    record = Imaging(
        id="a",
        source=question().source,
        modality="ct",
        images=(Image(path="b.png", sha256="1" * 64, width=1, height=1),),
        volume={**ref, "shape": (1, 2, 3), "spacing": (1, 1, 1), "orientation": "RAS"},
        masks=({**ref, "path": "files/c.nii.gz", "labels": {"1": "liver"}},),
    )
    assert [ref.path for ref in record.files()] == ["b.png", "files/a.nii.gz", "files/c.nii.gz"]


def test_the_schema_tells_the_types_apart():
    schema = json_schema()
    assert schema["discriminator"]["mapping"].keys() == TYPES.keys()
    assert json_schema("question")["properties"]["question"]["type"] == "string"
    assert "shown" not in Question.model_json_schema()["properties"]
