import pytest

from medevalkit.official.closed import close_ended, slake_closed, yes_or_no, yes_or_no_june
from medevalkit.official.judge import read_verdict


@pytest.mark.parametrize(
    ("gold", "response", "head", "june"),
    [
        ("yes", "Yes.", True, True),
        ("yes", "Yes. Clearly", True, True),
        ("yes", "The answer is yes", True, False),
        ("yes", "Yes, no doubt", False, False),
        ("no", "Normal", True, False),  # there is a "no" in it
        ("no", "I cannot say", True, False),
        ("no", "no\n", True, True),
        ("no", "", False, False),
    ],
)
def test_yes_and_no(gold, response, head, june):
    assert yes_or_no(gold, response) is head
    assert yes_or_no_june(gold, response) is june


@pytest.mark.parametrize(
    ("gold", "response", "right"),
    [
        ("Left", "left", True),
        ("Left", "Left.", True),
        ("Left", " left", False),
        ("Left", "Answer: left", False),
        ("5.5", "5.5", False),  # every full stop is dropped from the answer, none from the gold
        ("是", "是。", False),
        ("Axial", r"\boxed{Axial}", True),
    ],
)
def test_other_closed_answers(gold, response, right):
    assert close_ended(gold, response) is right


def test_slake_knows_yes_and_no_in_lower_case_only():
    assert slake_closed("no", "Nothing is seen") is True
    assert slake_closed("No", "Nothing is seen") is False


@pytest.mark.parametrize(
    ("output", "verdict"),
    [
        ("<think>fine</think> <judge>0</judge>", "0"),
        ("<judge>0</judge> <judge>1</judge>", "0 1"),
        ("<judge>{0}</judge>", "{0}"),
        ("0", "0"),
        ("Judge: 0", "Judge: 0"),
    ],
)
def test_a_verdict_is_exactly_zero(output, verdict):
    assert read_verdict(output) == verdict
