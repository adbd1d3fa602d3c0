"""Which option a response commits to, on single cases, and how a choice is checked."""

import pytest

from lingshu_core.answers import check, options_from, parse_choice
from lingshu_core.answers.choice import check_choice
from lingshu_core.golds import ChoiceGold

FINDINGS = {"A": "Pneumonia", "B": "Pleural effusion", "C": "Atelectasis", "D": "Edema"}


def test_every_response_of_the_file_is_read(rows, option_sets):
    cases = rows("choices.tsv")
    assert sum(value != "-" for _, value, _ in cases) >= 400
    assert sum(value == "-" for _, value, _ in cases) >= 350
    failed = [
        (name, value, response, found)
        for name, value, response in cases
        if (found := parse_choice(response, option_sets[name])).value
        != (None if value == "-" else value)
    ]
    assert failed == []


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("B", "letter"),
        ("The answer is (B).", "letter"),
        ("Pleural effusion", "option_text"),
        ("The image shows a pleural effusion.", "option_text"),
        ("<answer>B</answer>", "answer_tag"),
        ("<answer>B", "answer_tag"),
        (r"\boxed{\text{B}}", "boxed"),
        ('{"answer": "B"}', "json"),
        ("", "empty"),
        (" \n ", "empty"),
        ("<answer></answer>", "empty"),
        ("<think>B</think>", "empty"),
        ("<think>The answer is B", "unclosed_think"),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("无法判断", "refusal"),
        ("Maybe.", "hedged"),
        ("B?", "hedged"),
        ("The answer could be B.", "hedged"),
        ("A or B", "several"),
        ("A, B", "several"),
        ("Pneumonia and edema", "several"),
        ("B is incorrect.", "negated"),
        ("No pneumonia.", "negated"),
        ("B. Pneumonia", "contradiction"),
        ("Pneumonia (B)", "contradiction"),
        ("E", "not_an_option"),
        ("The answer is E.", "not_an_option"),
        ("The image shows a lung.", "no_answer"),
    ],
)
def test_the_reason_is_a_stable_slug(response, reason):
    assert parse_choice(response, FINDINGS).reason == reason


def test_none_of_the_above_is_an_answer_where_it_is_an_option():
    options = {"A": "Fever", "B": "Cough", "C": "None of the above", "D": "All of the above"}
    for response in ("None of the above", "none of these", "以上都不是", "None of the options."):
        assert parse_choice(response, options).value == "C", response
    for response in ("All of the above.", "all of these", "以上都是"):
        assert parse_choice(response, options).value == "D", response
    assert parse_choice("None of the above", FINDINGS).value is None


def test_the_longest_option_text_wins():
    options = {"A": "Edema", "B": "Pulmonary edema", "C": "Pulmonary", "D": "No pulmonary edema"}
    assert parse_choice("The film shows pulmonary edema.", options).value == "B"
    assert parse_choice("There is edema.", options).value == "A"
    assert parse_choice("No pulmonary edema", options).value == "D"


def test_options_with_the_same_text_are_not_guessed_at():
    options = {"A": "Normal", "B": "normal", "C": "Abnormal"}
    assert parse_choice("It is normal.", options).value is None
    assert parse_choice("Normal", options).value == "A"
    assert parse_choice("B", options).value == "B"


def test_twenty_six_options_are_told_apart():
    options = {chr(ord("A") + i): f"finding {i}" for i in range(26)}
    for letter, text in options.items():
        assert parse_choice(letter, options).value == letter
        assert parse_choice(f"The answer is {letter}.", options).value == letter
        assert parse_choice(text, options).value == letter
    assert parse_choice("I think so", options).value is None
    assert parse_choice("I am not sure.", options).value is None


@pytest.mark.parametrize(
    ("response", "value"),
    [
        ("AC", "AC"),
        ("CA", "AC"),
        ("A, C", "AC"),
        ("A and C", "AC"),
        ("A、C", "AC"),
        ("A C", "AC"),
        ("(A)(C)", "AC"),
        ("A,B,D", "ABD"),
        ("ABCD", "ABCD"),
        ("B", "B"),
        ("Answer: AC", "AC"),
        ("The answers are A and C.", "AC"),
        ("The correct options are A, C.", "AC"),
        ("选AC", "AC"),
        ("答案是A、C。", "AC"),
        ("答案：ABD", "ABD"),
        (r"\boxed{A, C}", "AC"),
        ("<answer>AC</answer>", "AC"),
        ('{"answer": ["A", "C"]}', "AC"),
        ("A. Pneumonia\nC. Atelectasis", "AC"),
        ("Pneumonia and atelectasis", "AC"),
        ("Both A and C", "AC"),
        ("**A, C**", "AC"),
        ("<think>A, B?</think>A, C", "AC"),
        ("A or C", None),
        ("", None),
        ("<think>AC", None),
        ("E, F", None),
        ("I don't know", None),
        ("AA", None),
    ],
)
def test_several_letters_are_read_in_order(response, value):
    assert parse_choice(response, FINDINGS, several=True).value == value


@pytest.mark.parametrize(
    "label",
    ["{}. {}", "{}.{}", "{}: {}", "{}:{}", "({}) {}", "{}) {}", "{} - {}", "{}、{}", "[{}] {}"],
)
def test_labels_are_taken_off(label):
    choices = [label.format(letter, text) for letter, text in FINDINGS.items()]
    assert options_from(choices) == FINDINGS


def test_what_only_looks_like_a_label_stays():
    bare = ["E. coli", "S. aureus", "H. pylori"]
    assert options_from(bare) == dict(zip("ABC", bare, strict=True))
    assert options_from(["A. x", "x"]) == {"A": "A. x", "B": "x"}
    assert options_from(["yes", "no"]) == {"A": "yes", "B": "no"}


@pytest.mark.parametrize("count", [0, 1, 27])
def test_a_choice_has_two_to_twenty_six_options(count):
    with pytest.raises(ValueError, match="2 to 26"):
        options_from(["x"] * count)


def test_a_choice_is_checked():
    gold = ChoiceGold(letter="B", text="Pleural effusion")
    right = check(gold, "The answer is B.", options=FINDINGS)
    assert (right.verdict, right.parsed, right.reason) == ("right", "B", "letter")
    assert check(gold, "pleural effusion", options=FINDINGS).verdict == "right"
    assert check(gold, "C", options=FINDINGS).verdict == "wrong"
    nothing = check(gold, "B or C", options=FINDINGS)
    assert (nothing.verdict, nothing.parsed, nothing.reason) == ("wrong", None, "several")


def test_without_options_the_gold_text_can_stand_for_its_letter():
    gold = ChoiceGold(letter="B", text="Pleural effusion")
    assert check_choice(gold, "(B)", None).verdict == "right"
    assert check_choice(gold, "The image shows pleural effusion.", None).verdict == "right"
    assert check_choice(gold, "D", None).verdict == "wrong"
    assert check_choice(gold, "Pneumonia", None).parsed is None


def test_several_right_letters_must_all_be_there():
    gold = ChoiceGold(letter="AC", text="Pneumonia; Atelectasis")
    assert check(gold, "A, C", options=FINDINGS).verdict == "right"
    assert check(gold, "C and A", options=FINDINGS).verdict == "right"
    assert check(gold, "A", options=FINDINGS).verdict == "wrong"
    assert check(gold, "A, B, C", options=FINDINGS).verdict == "wrong"
