import pytest

from medevalkit.official.free import open_ended
from medevalkit.official.marks import CrashError
from medevalkit.official.rouge import rouge


def test_the_names_of_the_overlaps_are_rotated():
    found = open_ended("left lung", "left lung base of it")
    precision, recall = 2 / 5, 1.0
    assert found["recall"] == pytest.approx(precision)
    assert found["f1"] == pytest.approx(recall)
    assert found["precision"] == pytest.approx(2 * precision * recall / (precision + recall))
    assert found["em"] == 0


def test_exact_match_after_marks_and_case():
    assert open_ended("Liver", r"it is \boxed{liver}")["em"] == 1
    assert open_ended("liver", "<answer> Liver </answer>")["em"] == 1
    assert open_ended("liver", "liver.")["em"] == 0


def test_slake_keeps_white_space():
    assert open_ended("liver", "liver ", strip=True)["em"] == 1
    assert open_ended("liver", "liver ", strip=False)["em"] == 0


@pytest.mark.parametrize(
    ("gold", "response", "strip", "error"),
    [
        ("liver", "", True, "Hypothesis is empty"),
        ("liver", "  ", True, "Hypothesis is empty"),
        ("liver", "  ", False, "cannot unpack"),
        ("", "liver", True, "Reference is empty"),
    ],
)
def test_empty_texts_end_the_run(gold, response, strip, error):
    with pytest.raises(CrashError, match=error):
        open_ended(gold, response, strip=strip)


def test_bleu_without_smoothing():
    found = open_ended("the heart is large", "the heart is small")
    assert found["bleu1"] == pytest.approx(3 / 4)
    assert found["bleu2"] == pytest.approx((3 / 4 * 2 / 3) ** 0.5)
    assert found["bleu4"] < 1e-70


def test_rouge_counts_words_once():
    # "is" and "clear" stand twice in the response and count once.
    found = rouge("it is clear it is clear", "it is clear")
    assert found["rouge1"] == pytest.approx(1.0, abs=1e-7)
    assert found["rougel"] == pytest.approx(1.0, abs=1e-7)


def test_rouge_l_unites_sentences():
    # From "lungs clear" and "heart normal" against one sentence: all four words are common.
    found = rouge("lungs clear. heart normal", "lungs clear heart normal")
    assert found["rougel"] == pytest.approx(1.0, abs=1e-7)
    assert rouge("b a", "a b")["rougel"] == pytest.approx(0.5, abs=1e-7)
