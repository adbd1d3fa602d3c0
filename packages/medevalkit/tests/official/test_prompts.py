import pytest

from lingshu_core.records import Image, Option, Question, Report, Source
from medevalkit.benchmark import BENCHMARKS
from medevalkit.official.prompts import render, template

SOURCE = Source(dataset="toy", licence="CC0-1.0")


def image(number):
    return Image(path=f"{number}.png", sha256=f"{number}" * 64, width=5, height=5)


def question(text="Which?", answer="yes", kind="closed", pictures=1, **more):
    return Question(
        id="q",
        source=SOURCE,
        modality="ct",
        images=tuple(image(n) for n in range(pictures)),
        question=text,
        answer=answer,
        answer_kind=kind,
        **more,
    )


OPTIONS = {"options": (Option(letter="A", text="x"), Option(letter="B", text="y"))}


def text_of(record, name=None, think=False):
    (message,) = render(record, BENCHMARKS.get(name) if name else None, think=think)
    return message.text


def test_yes_no_and_words_have_prompts_of_their_own():
    assert text_of(question()) == "Which?\nPlease output 'yes' or 'no'(no extra output)."
    closed = text_of(question(answer="Left"))
    assert closed == "Which?\nAnswer the question using a single word or phrase."
    opened = text_of(question(answer="lung", kind="open"), think=True)
    assert opened.endswith(
        '\nPlease answer the question concisely and put the answer in one "\\boxed{}".'
    )


def test_a_gold_with_a_capital_is_no_yes_or_no():
    assert "single word or phrase" in text_of(question(answer="Yes"))


def test_choices_begin_with_an_empty_line_and_keep_a_trailing_space():
    text = text_of(question(answer="A", kind="choice", **OPTIONS))
    assert text.startswith("\nQuestion: Which?\nOptions: \nA. x\nB. y\nAnswer with")


def test_benchmarks_label_options_in_their_ways():
    choice = question(answer="A", kind="choice", pictures=0, **OPTIONS)
    assert "\nA.x\nB.y\n" in text_of(choice, "pubmedqa")
    assert "\nx\ny\n" in text_of(choice, "medqa-mcmle")
    assert text_of(choice, "medxpertqa-text").count("x") == 2 + text_of(choice).count("x") - 1


def test_mmmu_leaves_its_marks_and_shows_the_first_picture_alone():
    record = question("<image> or <image>?", "A", "choice", pictures=2, **OPTIONS)
    (message,) = render(record, BENCHMARKS.get("mmmu-med-val"), think=False)
    assert message.text.startswith("\n<image 1> or <image 2>?\n\n(A) x\n(B) y\n\n\n        Answer")
    assert sum(piece.image is not None for piece in message.content) == 1


def test_several_pictures_are_numbered():
    (message,) = render(question(pictures=2), None, think=False)
    shown = [piece.text or "picture" for piece in message.content]
    assert shown[:4] == ["<image_1>: ", "picture", "<image_2>: ", "picture"]


def test_reports():
    record = Report(id="r", source=SOURCE, modality="xray", images=(image(1),), findings="Clear.")
    assert text_of(record).endswith("Findings: {} Impression: {}.")
    assert text_of(record, "mimic-cxr").startswith("\n        You are")


@pytest.mark.parametrize("kind", ["choice", "yesno", "closed", "open"])
def test_chinese_templates_are_chinese(kind):
    for think in ("", ".think"):
        assert any("\u4e00" <= c <= "\u9fff" for c in template(f"{kind}{think}.zh").template)


def test_the_judge_is_asked_for_a_digit():
    text = template("judge").substitute(question="Q", answer="A", response="R")
    assert "The question is: Q\n" in text and "<judge>{0/1}</judge>" in text
