"""Words and phrases: what matches, what is ruled out, and where the rules cannot tell."""

import pytest

from lingshu_core.answers import Synonyms, check, grade
from lingshu_core.answers.synonyms import SynonymRow
from lingshu_core.golds import PhraseGold


def test_every_response_of_the_file_is_checked(rows):
    cases = rows("phrases.tsv")
    assert sum(verdict == "right" for verdict, *_ in cases) >= 250
    assert sum(verdict != "right" for verdict, *_ in cases) >= 250
    failed = [
        (verdict, gold, response, found)
        for verdict, gold, response in cases
        if (found := grade("open", gold, response)).verdict != verdict
    ]
    assert failed == []


@pytest.mark.parametrize(
    ("gold", "response", "reason"),
    [
        ("pneumonia", "Pneumonia.", "exact"),
        ("pneumonia", "The image shows pneumonia.", "in_sentence"),
        ("left lung, heart", "heart and left lung", "exact"),
        ("pneumonia", "no pneumonia", "negation"),
        ("pneumonia", "edema, not pneumonia", "negation"),
        ("left lung", "right lung", "laterality"),
        ("hypertension", "hypotension", "opposite"),
        ("upper lobe", "lower lobe", "opposite"),
        ("grade 2", "grade 3", "number"),
        ("hepatitis B", "hepatitis C", "number"),
        ("5 cm mass", "5 mm mass", "number"),
        ("5 cm mass", "5 kg mass", "unit"),
        ("pneumonia", "pneumonia or edema", "several"),
        ("pneumonia", "pneumonia, edema, cancer", "stuffing"),
        ("heart, lung", "heart", "incomplete"),
        ("CT", "MRI", "other_value"),
        ("pneumonia", "maybe pneumonia", "hedged"),
        ("pneumonia", "I cannot determine that.", "refusal"),
        ("pneumonia", "", "empty"),
        ("pneumonia", "cirrhosis", "no_match"),
    ],
)
def test_the_reason_is_a_stable_slug(gold, response, reason):
    assert check(PhraseGold(accepted=(gold,)), response).reason == reason


def test_any_accepted_wording_matches_and_a_veto_must_hold_against_all():
    gold = PhraseGold(accepted=("subdural hematoma", "extra-axial bleed"))
    assert check(gold, "SDH").verdict == "right"
    assert check(gold, "an extra-axial bleed").verdict == "right"
    sides = PhraseGold(accepted=("left lung", "lung"))
    assert check(sides, "right lung").verdict == "unknown"


def test_the_text_of_another_option_is_wrong():
    gold = PhraseGold(accepted=("Hashimoto thyroiditis",))
    options = {"A": "Hashimoto thyroiditis", "B": "Graves disease", "C": "Subacute thyroiditis"}
    assert check(gold, "Basedow disease").verdict == "unknown"
    answer = check(gold, "Basedow disease", options=options)
    assert (answer.verdict, answer.reason) == ("wrong", "distractor")
    assert check(gold, "The diagnosis is Graves' disease.", options=options).verdict == "wrong"
    assert check(gold, "Hashimoto's thyroiditis", options=options).verdict == "right"


def test_of_two_options_that_mean_the_same_only_the_one_that_was_named_counts():
    options = {"A": "Propranolol, then epinephrine", "B": "Epinephrine, then propranolol"}
    gold = PhraseGold(accepted=(options["A"],))
    assert check(gold, options["A"], options=options).verdict == "right"
    assert check(gold, options["B"], options=options).verdict == "wrong"


def test_a_users_synonyms_decide():
    gold = PhraseGold(accepted=("hemangioblastoma",))
    assert check(gold, "Lindau tumor").verdict == "unknown"
    table = Synonyms([SynonymRow(canonical="hemangioblastoma", synonyms=("Lindau tumour",))])
    assert check(gold, "The lesion is a Lindau tumor.", synonyms=table).verdict == "right"


def test_a_long_answer_is_judged_by_its_commitment():
    gold = PhraseGold(accepted=("pneumonia",))
    reasoned = "The film is of good quality. " * 50 + "Therefore, the answer is pneumonia."
    assert check(gold, reasoned).verdict == "right"
    rambling = "The film is of good quality and shows many things. " * 50
    assert check(gold, rambling).verdict == "unknown"
