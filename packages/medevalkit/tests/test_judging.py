import json

import pytest

from lingshu_core.records import Dialogue, Prediction, Question, Source, Turn
from medevalkit.judging import judged, key, prompt, ruling
from medevalkit.settings import JudgeSettings

SOURCE = Source(dataset="toy", licence="CC0-1.0")
COMMON = {"id": "toy/1", "source": SOURCE, "modality": "text"}
OPEN = Question(**COMMON, question="Where is it?", answer="left lung", answer_kind="open")
CRITERIA = [
    {"criterion": "names a doctor", "points": 6},
    {"criterion": "is short", "points": 2},
    {"criterion": "frightens", "points": -4},
]
TALK = Dialogue(
    **COMMON,
    turns=(Turn(role="user", text="My chest hurts."),),
    tags={"rubric": json.dumps(CRITERIA)},
)


def said(response, finish_reason="stop"):
    return Prediction(
        **COMMON,
        item="toy/1",
        task="toy",
        model="m",
        prompt_sha256="0" * 64,
        response=response,
        finish_reason=finish_reason,
    )


def test_only_what_has_no_rule_is_judged():
    closed = Question(**COMMON, question="Is it?", answer="yes", answer_kind="closed")
    assert judged(OPEN) and judged(TALK)
    assert not judged(closed)
    assert not judged(OPEN.replace(answer=None))
    assert not judged(TALK.replace(tags={}))
    assert prompt(closed, said("yes"), "paper") is None


@pytest.mark.parametrize("nothing", [said("  \n"), said("", "error")])
def test_no_judge_is_asked_about_nothing(nothing):
    assert prompt(OPEN, nothing, "paper") is None
    assert prompt(TALK, nothing, "rubric") is None


def test_the_judge_is_told_question_gold_and_answer():
    for protocol in ("paper", "rubric"):
        text = prompt(OPEN, said("in the ${answer}"), protocol)
        assert "Where is it?" in text and "left lung" in text
        assert "in the ${answer}" in text  # words of a model are never filled in
    talk = prompt(TALK, said("See a doctor."), "paper")
    assert "User: My chest hurts." in talk and "3. frightens" in talk


@pytest.mark.parametrize(
    ("raw", "strict", "official"),
    [
        ("<think>same</think>\n<judge>0</judge>", "right", "right"),
        ("<judge>1</judge>", "wrong", "wrong"),
        ("<judge> 0 </judge>", "right", "wrong"),
        ("<judge>0</judge> or <judge>1</judge>", "unjudged", "wrong"),
        ("<judge>0/1</judge>", "unjudged", "wrong"),
        ("<judge>0</judge> and <judge>?</judge>", "unjudged", "wrong"),
        ("Judge: 0", "unjudged", "wrong"),
        ("0", "unjudged", "right"),
        ("", "unjudged", "wrong"),
    ],
)
def test_the_tags_of_the_paper(raw, strict, official):
    assert ruling(OPEN, raw, "paper", "strict").verdict == strict
    assert ruling(OPEN, raw, "paper", "official").verdict == official


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        ('{"points": {"1": true, "2": true, "3": true, "4": true}, "why": "same"}', "right"),
        ('well {x}\n{"points": {"1": true, "2": true, "3": false, "4": true}}', "wrong"),
        ('{"points": {"1": true, "2": true, "3": true}}', "unjudged"),
        ('{"points": {"1": "true", "2": true, "3": true, "4": true}}', "unjudged"),
        ('{"points": {"1": true, "2": true, "3": true, "4": tr', "unjudged"),
        ("", "unjudged"),
    ],
)
def test_the_four_points(raw, verdict):
    assert ruling(OPEN, raw, "rubric", "strict").verdict == verdict


@pytest.mark.parametrize(
    ("met", "share"),
    [((1, 1, 0), 1.0), ((1, 0, 0), 0.75), ((1, 1, 1), 0.5), ((0, 0, 1), -0.5), ((0, 0, 0), 0.0)],
)
def test_a_rubric_of_its_own_gives_the_share_of_the_points(met, share):
    raw = json.dumps({"met": {str(n): bool(m) for n, m in enumerate(met, 1)}})
    found = ruling(TALK, raw, "paper", "strict")
    assert (found.verdict, found.share) == (None, pytest.approx(share))


def test_a_criterion_without_a_word_leaves_the_item_unjudged():
    assert ruling(TALK, '{"met": {"1": true}}', "paper", "strict").verdict == "unjudged"
    hopeless = TALK.replace(tags={"rubric": json.dumps(CRITERIA[2:])})
    assert ruling(hopeless, '{"met": {"1": true}}', "paper", "strict").verdict == "unjudged"


def test_the_address_changes_with_all_that_the_words_depend_on():
    plain = JudgeSettings(model="m")
    others = [
        JudgeSettings(model="n"),
        JudgeSettings(model="m", temperature=0.5),
        JudgeSettings(model="m", max_new_tokens=9),
        JudgeSettings(model="m", endpoint={"body": {"seed": 1}}),
    ]
    found = {key(settings, "text") for settings in (plain, *others)} | {key(plain, "other")}
    assert len(found) == 6
    moved = JudgeSettings(model="m", endpoint={"base_url": "http://elsewhere/v1"})
    assert key(moved, "text") == key(plain, "text")
