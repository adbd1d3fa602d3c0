"""What holds for every text: nothing raises, nothing is guessed, nothing takes long."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingshu_core.answers import (
    check,
    final_answer,
    grade,
    parse_choice,
    parse_yes_no,
    read_boxes,
    read_findings,
    read_format,
)
from lingshu_core.golds import (
    BoxGold,
    ChoiceGold,
    FindingsGold,
    NumberGold,
    PhraseGold,
    YesNoGold,
)

OPTIONS = {"A": "Pneumonia", "B": "Pleural effusion", "C": "Atelectasis", "D": "Edema"}
GOLDS = (
    ChoiceGold(letter="A", text="Pneumonia"),
    ChoiceGold(letter="AC", text="Pneumonia; Atelectasis"),
    YesNoGold(value="yes"),
    NumberGold(value=5, unit="cm"),
    PhraseGold(accepted=("left lung",)),
    BoxGold(boxes=((1, 2, 3, 4),)),
    FindingsGold(findings={"edema": "absent"}),
)
PIECES = (
    "A", "B", " ", "\n", "(", ")", "**", ".", ",", ":", "is", "the answer is ", "Answer: ",
    "not ", "or ", "<think>", "</think>", "<answer>", "</answer>", r"\boxed{", "}", "{",
    '{"answer": ', '"', "[", "]", "答案是", "选", "不", "是", "有", "肺炎", "Pneumonia", "edema",
    "left ", "5 cm", "1e9", "½", "two ", "%", "yes", "no", "?", "I would choose ", "cannot ",
    "~~", "<b>", "\\", "$", "\u200b", "\x00", "ﷺ", "Ａ", "🅱",
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=14).map("".join))


@given(TEXTS)
@settings(max_examples=150)
def test_no_text_is_an_error(text):
    for gold in GOLDS:
        found = check(gold, text, options=OPTIONS)
        assert found.reason
        assert found.verdict in {"right", "wrong"} or isinstance(gold, PhraseGold)
        assert found.parsed is not None or found.verdict == "wrong"
    assert parse_choice(text, OPTIONS).value in {None, *OPTIONS}
    assert parse_yes_no(text).value in {None, "yes", "no"}
    committed, how = final_answer(text)
    assert bool(committed) or how in {"empty", "unclosed_think"}
    read_format(text)
    read_boxes(text)
    read_findings(text, ["edema", ""])


@given(TEXTS, TEXTS)
@settings(max_examples=60)
def test_any_text_can_be_a_gold(gold, text):
    for kind in ("closed", "open"):
        if gold.strip():
            grade(kind, gold, text)


@given(TEXTS)
def test_a_thought_that_never_ends_commits_to_nothing(text):
    response = "<think>" + text.replace("think", "")
    assert parse_choice(response, OPTIONS).value is None
    assert parse_yes_no(response).value is None


WRAPS = (
    "{}", "({})", "{}.", "**{}**", "[{}]", '"{}"', "`{}`", "${}$", "Answer: {}", "Answer: ({})",
    "The answer is {}.", "The answer is **{}**.", "The correct option is ({}).",
    "I would choose {}.", "Option {}", "<answer>{}</answer>", r"\boxed{{{}}}",
    r"\boxed{{\text{{{}}}}}", '{{"answer": "{}"}}', "<think>Maybe D? Maybe A?</think>{}",
    "<think>A</think><answer>{}</answer>", "答案是{}。", "选{}", "故选{}。",
    "The findings are typical.\n\n{}", "{} because the findings fit.", "Final answer: {}",
    "正确答案：{}",
)  # fmt: skip
LETTERS = st.integers(2, 26).flatmap(
    lambda count: st.tuples(
        st.lists(
            st.text("abcdefghij klmnop", min_size=4, max_size=20).map(str.strip).filter(bool),
            min_size=count, max_size=count, unique_by=lambda text: text.replace(" ", ""),
        ),
        st.integers(0, count - 1),
    )
)  # fmt: skip


@given(LETTERS, st.sampled_from(WRAPS))
def test_a_wrapped_letter_is_read_back_whatever_the_options(drawn, wrap):
    texts, chosen = drawn
    options = {chr(ord("A") + i): text for i, text in enumerate(texts)}
    letter = chr(ord("A") + chosen)
    assert parse_choice(wrap.format(letter), options).value == letter


@given(st.permutations(list(OPTIONS.values())), st.sampled_from(WRAPS))
def test_an_option_text_is_found_wherever_it_stands(texts, wrap):
    options = dict(zip("ABCD", texts, strict=True))
    for letter, text in options.items():
        assert parse_choice(wrap.format(text), options).value == letter, wrap
        assert parse_choice(wrap.format(f"{letter}. {text}"), options).value == letter, wrap


@given(st.permutations(list(OPTIONS.values())))
def test_a_letter_with_the_text_of_another_is_no_answer(texts):
    options = dict(zip("ABCD", texts, strict=True))
    for letter in options:
        for text in texts:
            if options[letter] != text:
                assert parse_choice(f"{letter}. {text}", options).value is None


LONG = 100_000


PIECES_OF_LONG = (
    "A ", "A or ", "answer is ", "The answer is A. ", "答案是", "选A", "\n", " \n", " ", "(", "{",
    "<", "<think>", "<answer>", r"\boxed{", '"answer": ', "not \n", "is A ", "5 cm, ", "1", "a",
    "Pneumonia ", "yes, ", "there is no ", "? ", r"\text{", "~~", "是", "肺炎", "½", "{x:1,",
    "A. Pneumonia\n", "<b ",
)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES_OF_LONG)
def test_long_responses_take_linear_time(piece):
    def seconds(size):
        response = (piece * size)[:size]
        start = time.process_time()
        for gold in GOLDS:
            check(gold, response, options=OPTIONS)
        return time.process_time() - start

    short, long = seconds(500), seconds(5000)
    # Ten times the text: quadratic time would be a hundred times as long.
    assert long < 0.4 or long < 30 * short


@pytest.mark.parametrize("piece", ["The lungs are clear, and A nodule is seen. ", "x"])
def test_a_response_of_a_hundred_thousand_characters_is_read_at_once(piece):
    response = (piece * LONG)[:LONG] + "\nThe answer is B."
    start = time.process_time()
    assert parse_choice(response, OPTIONS).value == "B"
    assert time.process_time() - start < 2


def test_many_short_answers_are_read_quickly():
    responses = (
        "B",
        "(B)",
        "The answer is B.",
        "B. Pleural effusion",
        "<think>x</think>B",
        "Edema",
    )
    start = time.process_time()
    for i in range(6000):
        parse_choice(responses[i % len(responses)], OPTIONS)
    # 88,996 items have ten seconds: this many have 0.67.
    assert time.process_time() - start < 0.67
