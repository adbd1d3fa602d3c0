"""Shortcuts of the grammar: what is read by one is read as the long way reads it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu_core.answers import check, check_question, gold_of, letters, parse_choice
from lingshu_core.answers.choice import quick_letter, read_response
from lingshu_core.answers.cleaning import plain
from lingshu_core.golds import PhraseGold
from lingshu_core.records import Option, Question, Source

INVISIBLE = "\u200b"
"""Changes nothing that is read, but takes a text off every shortcut for usual signs."""
PIECES = (
    "mass", "The", "the ", "an answer", "Answer", "answer is B", "correct ", "B cell", "B", "A",
    "I", "none of the above", "all of these", "small ", "neither of them", "cannot", "isn't", "5",
    "1,000 mm", "-3", "T2", " ", ", ", ".", ":", "?", "(", ")", "---", "\n", "yes", "no", "Edema",
    "Question: what", "lungs", "é", "肺炎", "**", "<b>", "$", "'s", "__", r"\mu", "½", "  ",
)  # fmt: skip
WORDS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
OPTIONS = st.lists(WORDS, min_size=2, max_size=6).map(lambda texts: dict(zip("ABCDEF", texts)))  # noqa: B905
SAID = st.builds(
    "{}{}{}nswer{} {}{}{}".format,
    st.sampled_from(("", "The ", "the ", "My ")),
    st.sampled_from(("", "correct ", "final ", "Final ", "best ", "right ")),
    st.sampled_from("aA"),
    st.sampled_from((" is", ":", "")),
    st.sampled_from(("", "**", "(", "**(", "option ")),
    st.sampled_from("ABCDEFGHIb"),
    st.sampled_from(("", ".", ")", "**.", ").**", " ", "?", ", or A", ")\n", "...", ". (", "**")),
)
RESPONSES = st.one_of(SAID, WORDS, st.tuples(WORDS, SAID).map("\n".join), st.text(max_size=20))


@given(RESPONSES, OPTIONS)
@settings(max_examples=400)
def test_a_letter_that_is_read_quickly_is_the_one_that_is_read_at_length(response, options):
    letter = quick_letter(response, options)
    if letter is not None:
        found = read_response(response, options, several=False)
        assert (found.value, found.reason) == (letter, "letter")


@pytest.mark.parametrize("response", ["B", "(b).", "The answer is **B**.", "Final answer: (B)"])
def test_the_usual_forms_are_read_quickly(response):
    assert quick_letter(response, {"A": "Edema", "B": "Small mass"}) == "B"
    assert quick_letter(response, {"A": "Edema", "C": "Small mass"}) is None


def test_an_option_that_speaks_of_an_answer_is_read_at_length():
    options = {"A": "No", "B": "The answer is A."}
    assert quick_letter("The answer is A.", options) is None
    assert parse_choice("The answer is A.", options).value == "B"


@given(RESPONSES)
@settings(max_examples=300)
def test_a_text_of_usual_signs_is_as_plain_as_the_long_way_makes_it(text):
    assert plain(text) == plain(text + INVISIBLE)


@given(RESPONSES, OPTIONS, st.booleans())
@settings(max_examples=400)
def test_options_of_usual_signs_are_found_as_all_others_are(response, options, several):
    odd = {letter: text + INVISIBLE for letter, text in options.items()}
    assert parse_choice(response, options, several) == parse_choice(response, odd, several)


@given(st.text(" .)\n\t\u3000", max_size=12))
def test_nothing_but_stops_behind_a_letter_takes_nothing_back(end):
    text = f"B{end}"
    assert letters._ENDED.fullmatch(text, 1)
    for name in (
        *("_ASKED", "_CONTRAST", "_REJECTED", "_ALL_REJECTED", "_ANOTHER", "_ALONE", "_SERIES"),
        *("_RATED", "_LISTED", "_ALSO", "_ALTERNATIVE", "_OR_ELSE"),
    ):
        assert getattr(letters, name).match(text, 1) is None, name


def _question(kind, answer, options=(), gold=None):
    return Question(
        id="t/1", source=Source(dataset="t", licence="CC0-1.0"), modality="text", question="?",
        answer=answer, answer_kind=kind, options=options, gold=gold,
    )  # fmt: skip


AMONG = (Option(letter="A", text="Edema"), Option(letter="B", text="Small mass"))
QUESTIONS = (
    _question("choice", "B", AMONG),
    _question("choice", "AB", AMONG),
    _question("choice", "A", AMONG, PhraseGold(accepted=("edema",))),
    _question("closed", "yes"),
    _question("open", "left lung"),
)


@given(st.sampled_from(QUESTIONS), RESPONSES)
def test_a_question_is_checked_as_its_gold_is(question, response):
    options = {option.letter: option.text for option in question.options} or None
    whole = check(gold_of(question), response, options=options)
    assert check_question(question, response) == whole


def test_a_question_without_an_answer_is_not_checked():
    with pytest.raises(ValueError, match="withheld"):
        check_question(_question("choice", None, AMONG), "B")
