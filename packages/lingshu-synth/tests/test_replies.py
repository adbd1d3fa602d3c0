import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu_synth.journal import Stored
from lingshu_synth.replies import error_text, is_refusal, read_reply


def stored(message=None, finish="stop", status=200, **more):
    data = {"choices": [{"message": message, "finish_reason": finish}], **more}
    return Stored(status, json.dumps(data).encode(), "openai")


def read(*args, **kwargs):
    return read_reply("k", stored(*args, **kwargs))


def test_a_plain_answer():
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    reply = read({"content": "It is a liver."}, usage=usage)
    assert (reply.text, reply.finish) == ("It is a liver.", "stop")
    assert (reply.prompt_tokens, reply.completion_tokens) == (3, 2)


@pytest.mark.parametrize(
    ("message", "finish", "told"),
    [
        ({"content": None, "refusal": "I can't help with that."}, "stop", "refusal"),
        ({"content": "I'm sorry, but I can't assist with that."}, "stop", "refusal"),
        ({"content": "cut in the"}, "length", "length"),
        ({"content": ""}, "content_filter", "content_filter"),
        ({"content": [{"type": "text", "text": "parts"}]}, "stop", "stop"),
    ],
)
def test_ways_to_end(message, finish, told):
    assert read(message, finish).finish == told


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that request.",
        "I\u2019m sorry, I cannot provide a description of this image.",
        "I am unable to analyze medical images.",
        "Sorry, I can't help with identifying this.",
        "As an AI language model, I cannot interpret radiographs.",
        "Unfortunately, I am not able to view the image.",
        "I cannot provide medical advice.",
        "抱歉，我无法分析医学图像。",
    ],
)
def test_refusals_are_found(text):
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "The fracture cannot be seen in this projection.",
        "I see a mass in the left lobe.",
        "No lesion can be identified.",
        "The image shows a liver. I cannot exclude a small cyst.",
        '{"caption": "I am sorry to say"}',
        "",
    ],
)
def test_captions_are_no_refusals(text):
    assert not is_refusal(text)


@pytest.mark.parametrize(
    ("status", "body", "finish", "told"),
    [
        (400, {"error": {"message": "bad picture", "code": "invalid"}}, "error", "bad picture"),
        (400, {"error": {"message": "no", "code": "content_filter"}}, "content_filter", "no"),
        (422, {"detail": "wrong"}, "error", "wrong"),
        (400, "plain words", "error", "plain words"),
        (200, {"choices": []}, "error", "no message"),
        (200, {"choices": [{"message": None}]}, "error", "no message"),
        (0, {"error": {"message": "the line broke"}}, "error", "the line broke"),
    ],
)
def test_errors(status, body, finish, told):
    reply = read_reply("k", Stored(status, json.dumps(body).encode(), "openai"))
    assert reply.finish == finish and told in reply.error and reply.text == ""


@pytest.mark.slow
@given(st.integers(0, 599), st.binary(max_size=200))
def test_any_bytes_are_read(status, raw):
    assert read_reply("k", Stored(status, raw, "x")).finish in {"error", "content_filter"}


@pytest.mark.slow
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_json_is_read(value):
    for shape in (value, {"choices": value}, {"choices": [value]}, {"error": value}):
        read_reply("k", Stored(200, json.dumps(shape).encode(), "x"))
        assert error_text(shape, 500)


@pytest.mark.slow
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "content": st.none() | st.text() | st.lists(st.text() | st.none()),
            "refusal": st.none() | st.text() | st.integers(),
        },
    ),
    st.none() | st.text(),
    st.none() | st.integers() | st.dictionaries(st.text(), st.text() | st.integers()),
)
def test_any_message_is_read(message, finish, usage):
    read(message, finish, usage=usage)
