import json

import pytest

from lingshu_core.errors import SettingsError
from medevalkit.grade import grade_lines

CHOICES = ["A. Cyst", "B. Mass", "C. Nothing"]


def graded(rows, kind, profile="strict"):
    lines = [json.dumps(row) for row in rows]
    return [json.loads(line) for line, _ in grade_lines(lines, kind, profile)]


@pytest.mark.parametrize(
    ("response", "parsed", "verdict"),
    [
        ("B", "B", "right"),
        ("(C)", "C", "wrong"),
        ("The answer should be B.", "B", "right"),
        ("", None, "unparsed"),
        (None, None, "unparsed"),
        ("A or B", None, "unparsed"),
        ("Mass", "B", "right"),
    ],
)
def test_choices(response, parsed, verdict):
    (found,) = graded([{"choices": CHOICES, "gold": "B", "response": response}], "choice")
    assert (found["parsed"], found["verdict"]) == (parsed, verdict)


def test_the_gold_of_a_choice_may_be_its_text():
    rows = [{"choices": CHOICES, "gold": "B. Mass", "response": "B"}]
    for profile in ("strict", "official", "official-2025-06"):
        assert graded(rows, "choice", profile)[0]["verdict"] == "right"


def test_the_official_kit_guesses_where_strict_abstains():
    rows = [{"choices": CHOICES, "gold": "A", "response": ""}]
    assert graded(rows, "choice", "strict")[0] == {
        "parsed": None,
        "verdict": "unparsed",
        "reason": "empty",
    }
    assert graded(rows, "choice", "official")[0]["verdict"] == "right"


@pytest.mark.parametrize(
    ("kind", "gold", "response", "strict", "official"),
    [
        ("yesno", "no", "Normal", "unparsed", "right"),
        ("yesno", "yes", "Yes, no doubt", "right", "wrong"),
        ("closed", "Left", "Answer: left", "right", "wrong"),
        ("open", "liver", "the liver", "right", "wrong"),
        ("open", "liver", "", "unparsed", "unparsed"),
    ],
)
def test_other_kinds(kind, gold, response, strict, official):
    row = [{"gold": gold, "response": response, "more": "is left alone"}]
    assert graded(row, kind)[0]["verdict"] == strict
    assert graded(row, kind, "official")[0]["verdict"] == official


def test_a_broken_line_has_a_line_of_its_own():
    lines = ['{"gold": "yes", "response": "yes"}', "{no json", '{"gold": 3, "response": ""}']
    lines.append('{"gold": "maybe", "response": "yes"}')
    found = list(grade_lines(lines, "yesno", "strict"))
    assert [good for _, good in found] == [True, False, False, False]
    assert "line 2" in found[1][0] and "gold" in found[2][0] and "neither yes" in found[3][0]


def test_a_choice_without_choices_says_so():
    ((line, good),) = grade_lines(['{"gold": "A", "response": "A"}'], "choice", "strict")
    assert not good and "2 to 26 choices" in line


def test_unknown_words():
    with pytest.raises(SettingsError, match="did you mean 'choice'"):
        list(grade_lines([], "choise", "strict"))
    with pytest.raises(SettingsError, match="did you mean 'official'"):
        list(grade_lines([], "choice", "oficial"))
