import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from lingshu_synth.structured import read_json, schema_of


class Reply(BaseModel):
    reasoning: str = Field(min_length=1)
    answer: str
    wrong: list[str] = []


@pytest.mark.parametrize(
    "text",
    [
        '{"reasoning": "a", "answer": "b"}',
        'Here it is:\n```json\n{"reasoning": "a", "answer": "b"}\n```\nDone.',
        '```\n{"reasoning": "a", "answer": "b",}\n```',
        'Sure! {"reasoning": "a", "answer": "b"} Hope that helps {really}.',
        "{'reasoning': 'a', 'answer': 'b'}",
        "{“reasoning”: “a”, “answer”: “b”}",
        '{"reasoning": "a", "answer": "b"',
        '{"reasoning": "a", "answer": "b", "wrong": ["c", "d"',
        '{"reasoning": "a", "answer": "b", "wrong": [],}',
        '<think>{"answer": "no"}</think>{"reasoning": "a", "answer": "b"}',
        '{"reasoning": "a", "answer": "b", "more": None, "sure": True}',
    ],
)
def test_mended(text):
    reply = read_json(Reply, text)
    assert (reply.reasoning, reply.answer) == ("a", "b")


def test_raw_line_breaks_inside_strings_are_kept():
    assert read_json(Reply, '{"reasoning": "a\nb", "answer": "c"}').reasoning == "a\nb"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no json at all", "no JSON object"),
        ('{"reasoning": "a"}', "answer"),
        ('{"reasoning": "", "answer": "b"}', "reasoning"),
        ('{"reasoning": "it was cut in the mid', "no JSON object"),
        ("[1, 2]", "no JSON object"),
        ("{" * 100_000, "no JSON object"),
        ("", "no JSON object"),
    ],
)
def test_what_cannot_be_mended_is_told(text, told):
    with pytest.raises(ValueError, match=told):
        read_json(Reply, text)


@pytest.mark.slow
@given(st.text(), st.text(min_size=1), st.lists(st.text(), max_size=3), st.text(), st.text())
def test_what_is_whole_comes_back_as_it_was(answer, reasoning, wrong, before, after):
    value = {"reasoning": reasoning, "answer": answer, "wrong": wrong}
    text = json.dumps(value)
    if "<think>" not in text:
        assert read_json(Reply, text).model_dump() == value
    talk = before.replace("{", "").replace("`", "").replace("<", "")
    wrapped = f"{talk}\n{text}\n{after.replace('<', '').replace('`', '')}"
    if "<think>" not in text and "```" not in text:
        assert read_json(Reply, wrapped).model_dump() == value


@pytest.mark.slow
@given(st.text())
def test_any_text_gives_a_value_or_a_value_error(text):
    try:
        read_json(Reply, text)
    except ValueError as error:
        assert str(error)


def test_the_schema_is_strict():
    schema = schema_of(Reply)
    assert schema["strict"] and schema["name"] == "reply"
    assert schema["schema"]["additionalProperties"] is False
    assert schema["schema"]["required"] == ["reasoning", "answer", "wrong"]
