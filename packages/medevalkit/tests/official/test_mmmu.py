import random

import pytest

from medevalkit.official import mmmu

OPTIONS = {"A": "Cyst", "B": "Hip fracture", "C": "Mass"}


@pytest.mark.parametrize(
    ("response", "letter", "rule"),
    [
        ("B", "B", "letter"),
        ("(C) it is, not (A)", "A", "bracket"),
        ("I say A , no B now", "B", "letter"),
        ("one can see a hip fracture in it", "B", "text"),
        (r"\boxed{C}", "C", "letter"),
        ("<answer>A</answer>", "A", "letter"),
    ],
)
def test_what_it_reads(response, letter, rule):
    assert mmmu.read_letter(response, OPTIONS, random.Random(0)) == (letter, rule)


def test_what_it_cannot_read_is_drawn_at_random():
    rng = random.Random(42)
    drawn = [mmmu.read_letter("b", OPTIONS, rng) for _ in range(60)]
    assert {rule for _, rule in drawn} == {"random"}
    assert {letter for letter, _ in drawn} == set(OPTIONS)
    again = random.Random(42)
    assert [mmmu.read_letter("b", OPTIONS, again) for _ in range(60)] == drawn


@pytest.mark.parametrize(
    ("gold", "response", "right"),
    [
        ("12", "The result is 12.", True),
        ("12", "12.0 kg", True),
        ("0.5", "x = 0.5", True),
        ("1,500", "1500", True),
        ("prophase", "so it is prophase now", True),
        ("mitosis", "so it is mitosis in prophase", False),  # cut after the "is " of mitosis
        ("no", "it is abnormal", True),  # a part of a word is enough
        ("C", "(C)", False),
        ("30%", "30 percent", False),
        (("2", "two"), "there are two", True),
        ("yes", "", False),
    ],
)
def test_open_answers(gold, response, right):
    assert mmmu.open_is_right(gold, mmmu.read_open(response)) is right
