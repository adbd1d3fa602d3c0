import pytest

from medevalkit.official.choice import read_letter

OPTIONS = ("A. Cyst", "B. Fracture of the hip", "C. Mass", "D. Nothing")


@pytest.mark.parametrize(
    ("response", "letter", "rule"),
    [
        ("B", "B", "letter"),
        ("b.", "B", "letter"),
        ("B. Fracture of the hip", "B", "letter"),
        ("The answer is C.", "C", "letter"),
        ("final answer: D", "D", "letter"),
        ("Because of this.\n\nB. So be it", "B", "letter"),
        (r"So it is \boxed{C}.", "C", "letter"),
        (r"\boxed{A} or rather \boxed{D}", "D", "letter"),
        ("<answer>B</answer>", "B", "letter"),
        ("<think>C?</think><answer>B</answer>", "B", "letter"),
        ("答案: C", "C", "letter"),
        # A guess, never an abstention: the first of equals.
        ("", "A", "likeness"),
        ("Mass", "C", "likeness"),
        # A "boxed warning" is read as an empty box, whose content is the word "none".
        ("It has a boxed warning, so the answer is B.", "D", "likeness"),
    ],
)
def test_what_the_head_reads(response, letter, rule):
    assert read_letter(OPTIONS, "B", response) == (letter, rule)


def test_june_opens_boxes_before_it_looks_at_paragraphs():
    response = "B\n\nIt has a boxed warning."
    assert read_letter(OPTIONS, "B", response)[0] == "B"
    assert read_letter(OPTIONS, "B", response, june=True)[0] == "D"


def test_some_benchmarks_do_not_cut_the_tags_out():
    response = "C\n\nor <answer>B</answer>"
    assert read_letter(OPTIONS, "B", response, tags=True)[0] == "B"
    assert read_letter(OPTIONS, "B", response, tags=False)[0] == "C"


def test_bare_texts_match_whole():
    assert read_letter(("Cyst", "Mass"), "B", "mass.") == ("B", "text")
