"""Yes and no by word, in English and Chinese."""

import pytest

from lingshu_core.answers import Parsed, check, parse_yes_no, yes_no_gold
from lingshu_core.golds import YesNoGold


def test_every_response_of_the_file_is_read(rows):
    cases = rows("yes_no.tsv")
    assert len(cases) >= 400
    failed = [
        (value, response, found)
        for value, response in cases
        if (found := parse_yes_no(response)).value != (None if value == "-" else value)
    ]
    assert failed == []


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("Yes.", "word"),
        ("There is a fracture.", "statement"),
        ("<answer>no</answer>", "answer_tag"),
        (r"\boxed{yes}", "boxed"),
        ("", "empty"),
        ("<think>yes", "unclosed_think"),
        ("yes and no", "several"),
        ("maybe", "hedged"),
        ("I cannot tell.", "refusal"),
        ("Normal", "no_answer"),
    ],
)
def test_the_reason_is_a_stable_slug(response, reason):
    assert parse_yes_no(response).reason == reason


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("Yes or maybe not", "hedged"),
        ("Yes in theory, no in practice", "hedged"),
        ("Answer yes for some, no for others", "several"),
        ("yes for the left, not for the right", "hedged"),
        ("half yes", "hedged"),
        ("No unless it is", "hedged"),
        ("nope or yep", "several"),
        ("It is false to answer no", "negated"),
        ("Not that I can say no", "negated"),
        ("Answering yes would be a mistake", "negated"),
        ("Not a yes", "negated"),
        ("The opposite of yes", "negated"),
    ],
)
def test_a_word_that_is_not_meant(response, reason):
    assert parse_yes_no(response) == Parsed(None, reason)


@pytest.mark.parametrize(
    ("response", "value"),
    [
        ("Yes or no? Yes.", "yes"),
        ("Yes, there is no doubt.", "yes"),
        ("Yes, no fracture is seen.", "yes"),
        ("No, wait, yes", "yes"),
    ],
)
def test_a_second_word_that_takes_nothing_back(response, value):
    assert parse_yes_no(response).value == value


def test_no_word_is_found_inside_another():
    for word in ("normal", "nodule", "know", "notable", "cannot", "diagnosis", "yesterday", "eyes"):
        assert parse_yes_no(word).value is None, word


@pytest.mark.parametrize(
    "text", ["Yes", "yes.", " YES ", "是", "是的", "有", "对", "True", "包含", "可以"]
)
def test_a_text_that_is_a_yes(text):
    assert yes_no_gold(text) == YesNoGold(value="yes")


@pytest.mark.parametrize(
    "text", ["No", "no.", "否", "不是", "没有", "Not seen", "False", "不包含", "不可以"]
)
def test_a_text_that_is_a_no(text):
    assert yes_no_gold(text) == YesNoGold(value="no")


@pytest.mark.parametrize(
    "text", ["Left", "Normal", "None", "yes and no", "No pneumonia", "", "正常", "2"]
)
def test_a_text_that_is_neither(text):
    assert yes_no_gold(text) is None


def test_an_answer_is_checked():
    assert check(YesNoGold(value="no"), "There is no fracture.").verdict == "right"
    assert check(YesNoGold(value="yes"), "There is no fracture.").verdict == "wrong"
    nothing = check(YesNoGold(value="no"), "Normal")
    assert (nothing.verdict, nothing.parsed) == ("wrong", None)


@pytest.mark.parametrize(
    "response",
    [
        "It would be wrong to say yes",
        "Neither yes nor no",
        "It is not correct to say no.",
        "I cannot say no",
        "One couldn't answer yes here",
        "Yes is not the answer",
        "yes if bright, no if dark",
        "not no",
    ],
)
def test_a_word_that_is_disowned_or_conditional_is_no_answer(response: str):
    assert parse_yes_no(response).value is None


@pytest.mark.parametrize(
    ("response", "value"),
    [
        ("I would say yes", "yes"),
        ("It is not visible, so I say no.", "no"),
        ("Yes, it cannot be missed.", "yes"),
        ("No, but there is an effusion.", "no"),
    ],
)
def test_a_word_beside_a_negation_is_read(response: str, value: str):
    assert parse_yes_no(response).value == value
