"""The gold that a question implies, and answers checked against every kind of gold."""

import pytest

from lingshu_core.answers import check, gold_of, grade
from lingshu_core.errors import DataError
from lingshu_core.golds import (
    BoxGold,
    ChoiceGold,
    FindingsGold,
    NumberGold,
    PhraseGold,
    YesNoGold,
)
from lingshu_core.records import Option, Question, Source

OPTIONS = (Option(letter="A", text="Pneumonia"), Option(letter="B", text="Edema"))


def question(answer, kind="open", options=(), gold=None):
    return Question(
        id="q",
        source=Source(dataset="d", licence="CC0-1.0"),
        modality="xray",
        question="What?",
        answer=answer,
        answer_kind=kind,
        options=options,
        gold=gold,
    )


@pytest.mark.parametrize(
    ("made", "gold"),
    [
        (question("B", "choice", OPTIONS), ChoiceGold(letter="B", text="Edema")),
        (question("AB", "choice", OPTIONS), ChoiceGold(letter="AB", text="Pneumonia; Edema")),
        (question("Yes", "closed"), YesNoGold(value="yes")),
        (question("没有", "closed"), YesNoGold(value="no")),
        (question("not seen", "open"), YesNoGold(value="no")),
        (question("5.5 cm"), NumberGold(value=5.5, unit="cm")),
        (question("two", "closed"), NumberGold(value=2)),
        (question("Left", "closed"), PhraseGold(accepted=("Left",))),
        (question("pneumonia"), PhraseGold(accepted=("pneumonia",))),
        (question("10-20 minutes"), PhraseGold(accepted=("10-20 minutes",))),
        (question(None), None),
        (question(None, "choice", OPTIONS), None),
    ],
)
def test_a_question_implies_a_gold(made, gold):
    assert gold_of(made) == gold


def test_the_gold_that_curation_wrote_stands():
    gold = PhraseGold(accepted=("yes", "indeed"))
    assert gold_of(question("yes", gold=gold)) == gold


@pytest.mark.parametrize(
    ("gold", "full"),
    [
        (ChoiceGold(letter="A", text="Pneumonia"), "A"),
        (YesNoGold(value="no"), "no"),
        (NumberGold(value=5.5, unit="cm"), "5.5 cm"),
        (PhraseGold(accepted=("left lung", "lung, left")), "left lung"),
        (BoxGold(boxes=((1, 2, 3, 4),)), "[1, 2, 4, 6]"),
        (FindingsGold(findings={"edema": "absent"}), "No edema."),
    ],
)
def test_every_kind_is_right_by_its_own_words_and_wrong_without_any(gold, full):
    assert check(gold, full).verdict == "right"
    assert check(gold, f"<think>It is another.</think>\n<answer>{full}</answer>").verdict == "right"
    for nothing in (
        "",
        "  ",
        "<answer></answer>",
        f"<think>{full}</think>",
        f"<think>{full}",
        "???",
    ):
        found = check(gold, nothing)
        assert found.verdict != "right", (gold, nothing)
    empty = check(gold, "")
    assert (empty.verdict, empty.parsed) == ("wrong", None)


@pytest.mark.parametrize(
    ("gold", "response", "verdict"),
    [
        ("Left", "Left lung", "right"),
        ("Left", "On the left", "right"),
        ("Left", "right", "wrong"),
        ("左", "左侧", "right"),
        ("左侧", "左", "right"),
        ("左", "右", "wrong"),
        ("2", "two", "right"),
        ("2", "three", "wrong"),
        ("Yes", "Yes, it does.", "right"),
        ("no", "Not seen", "right"),
        ("不是", "否", "right"),
        ("是", "是的", "right"),
        ("包含", "是的", "right"),
        ("有", "没有", "wrong"),
        ("CT", "CT scan", "right"),
        ("CT", "MRI", "wrong"),
        ("T2", "T2", "right"),
        ("Coronal Plane", "coronal", "right"),
        ("Healthy", "healthy\n", "right"),
        ("Yes", "", "wrong"),
        ("Liver", "something else", "wrong"),
        ("White matter", "gray matter", "wrong"),
        ("Both", "bilateral", "right"),
        ("Hyperdense", "hypodense", "wrong"),
    ],
)
def test_a_closed_question_is_right_or_wrong(gold, response, verdict):
    assert grade("closed", gold, response).verdict == verdict


def test_an_open_question_may_be_unknown():
    assert grade("open", "Liver", "something else").verdict == "unknown"
    assert grade("open", "5 cm", "50 mm").verdict == "right"


def test_a_choice_is_graded_by_letter_or_by_text():
    options = {"A": "Pneumonia", "B": "Edema", "C": "Mass"}
    assert grade("choice", "B", "(B)", options).verdict == "right"
    assert grade("choice", "b", "(B)", options).verdict == "right"
    assert grade("choice", "Edema", "(B)", options).verdict == "right"
    assert grade("choice", "B", "Edema", options).verdict == "right"
    assert grade("choice", "A, C", "AC", options).verdict == "right"
    assert grade("choice", "B", "B").verdict == "right"
    assert grade("choice", "B", "A or B", options).parsed is None


@pytest.mark.parametrize(
    ("kind", "gold", "options"),
    [
        ("yesno", "Left", None),
        ("choice", "E", {"A": "x", "B": "y"}),
        ("choice", "", {"A": "x", "B": "y"}),
        ("choice", "zzz zzz", None),
    ],
)
def test_a_broken_gold_is_an_error(kind, gold, options):
    with pytest.raises(DataError):
        grade(kind, gold, "A", options)
