"""What models' metrics do with what models say: golden values, worked out by hand."""

import pytest

from lingshu_core.errors import SettingsError
from medevalkit.dygie import Found
from medevalkit.metric import METRICS, Given, Pair
from medevalkit.metrics.bertscore import BASELINE, rescaled
from medevalkit.metrics.green import green, template
from medevalkit.metrics.radgraph_f1 import annotation, words_of
from medevalkit.metrics.ratescore import cover, entities, harmonic, sentences
from medevalkit.radgraph import overlap

BY_MODEL = ("bertscore", "green", "radgraph-f1", "ratescore", "sembscore")


@pytest.mark.parametrize("name", BY_MODEL)
def test_scoring_loads_no_model(name):
    with pytest.raises(SettingsError, match=f"medevalkit measure RUN --metric {name}"):
        METRICS.get(name).compute([Pair("a", "b")], Given())


def test_bertscore_is_rescaled_by_the_baseline():
    assert rescaled(1.0, 1.0) == 1.0
    assert rescaled(BASELINE, BASELINE) == pytest.approx(0.0, abs=1e-12)
    # F1 of 0.9 and 0.8 is 1.44 / 1.7.
    assert rescaled(0.9, 0.8) == pytest.approx((1.44 / 1.7 - 0.8473319) / 0.1526681)
    assert rescaled(0.0, 0.0) == pytest.approx(-0.8473319 / 0.1526681)


ANALYSIS = """The candidate leaves one finding out.

[Clinically Significant Errors]:
(a) False report of a finding in the candidate: 2. A mass; A cyst.
(b) Missing a finding present in the reference: 1. Left effusion, measured as: 3. grade.
(c) Misidentification of a finding's location: 0.

[Clinically Insignificant Errors]:
(a) False report of a finding in the candidate: 5. Many.

[Matched Findings]:
3. Clear lungs; Normal heart; No pneumothorax.
"""


@pytest.mark.parametrize(
    ("analysis", "score"),
    [
        (ANALYSIS, 3 / (3 + 2 + 1)),
        (ANALYSIS.replace("(a)", "(1)").replace("(b)", "(2)").replace("(c)", "(3)"), 0.5),
        # Where one kind goes by its letter, numbers are no kinds.
        (ANALYSIS.replace("(a)", "(1)"), 3 / 4),
        (ANALYSIS.replace("[Matched Findings]:\n3", "[Matched Findings]:\n0"), 0.0),
        (ANALYSIS.replace("[Matched Findings]:\n3.", "[Matched Findings]:\nNone."), 0.0),
        ("[Clinically Significant Errors]:\nNo errors.\n\n[Matched Findings]:\n2. Both.", 1.0),
        ("[Matched Findings]:\n4. All.", 1.0),
        ("I cannot say.", 0.0),
        ("", 0.0),
    ],
)
def test_green_counts_matched_findings_and_significant_errors(analysis, score):
    assert green(analysis) == pytest.approx(score)


def test_green_asks_in_the_words_that_its_model_was_trained_on(tmp_path):
    with pytest.raises(SettingsError, match=r"prompt\.txt: the wording .* `make_prompt`"):
        template(str(tmp_path))
    (tmp_path / "prompt.txt").write_text("Compare $reference.")
    with pytest.raises(SettingsError, match=r"has to hold \$reference and \$candidate"):
        template(str(tmp_path))
    (tmp_path / "prompt.txt").write_text("$reference $candidate costs $5")
    with pytest.raises(SettingsError, match="no other placeholder"):
        template(str(tmp_path))


def test_ratescore_weighs_every_nearest_entity():
    kinds, others = ["DISEASE", "ANATOMY"], ["NON-DISEASE", "ANATOMY"]
    # The disease meets its denial (0.3789 by kinds, 0.8717 for the denial), the anatomy its like.
    cosines = [[0.9, 0.2], [0.1, 0.8]]
    weights = (0.3789136708096537, 0.2856134859160784)
    found = (0.9 * weights[0] * 0.8716553966489615 + 0.8 * weights[1]) / sum(weights)
    assert cover(cosines, kinds, others) == pytest.approx(found, abs=1e-12)
    assert cover([[1.0]], ["ANATOMY"], ["ANATOMY"]) == 1.0
    assert cover([[0.5]], ["NON-ABNORMALITY"], ["ABNORMALITY"]) == pytest.approx(0.5 * 0.8716553966)
    # An anatomy is neither denied nor not.
    assert cover([[0.5]], ["ANATOMY"], ["NON-DISEASE"]) == pytest.approx(0.5)
    assert harmonic(0.5, 1.0) == pytest.approx(2 / 3)
    assert harmonic(0.0, 0.0) == 0.0


def test_ratescore_reads_entities_off_labels():
    text = "O B-ANATOMY I-ANATOMY B-DISEASE O I-DISEASE B-NON-DISEASE I-NON-DISEASE"
    labels = text.split()
    assert entities(labels) == [
        (1, 2, "ANATOMY"),
        (3, 3, "DISEASE"),
        (6, 7, "NON-DISEASE"),
    ]
    assert entities([]) == []


def test_ratescore_reads_sentence_by_sentence():
    text = "1. Heart 3.5 cm wide. No effusion!\nLungs: clear?  ok"
    assert sentences(text) == ["Heart 3.5 cm wide.", "No effusion!", "Lungs: clear?"]


def test_radgraph_sets_signs_apart():
    words = ["No", "effusion", "(", "left", ")", ",", "or", "mass", "/", "cyst", "."]
    assert words_of("No effusion (left), or mass/cyst.") == words
    assert words_of("T-shaped 3.5 ") == ["T-shaped", "3", ".", "5"]
    assert words_of("") == []


def test_radgraph_numbers_entities_and_leaves_relations_to_nothing_out():
    words = words_of("small left effusion")
    found = Found(
        {(0, 0): "OBS-DP", (1, 1): "ANAT-DP", (2, 2): "OBS-DP"},
        {((0, 0), (2, 2)): "modify", ((2, 2), (1, 1)): "located_at", ((2, 2), (0, 1)): "modify"},
    )
    told = annotation(words, found)
    assert told == {
        "1": {"tokens": "small", "label": "OBS-DP", "relations": [["modify", "3"]]},
        "2": {"tokens": "left", "label": "ANAT-DP", "relations": []},
        "3": {"tokens": "effusion", "label": "OBS-DP", "relations": [["located_at", "2"]]},
    }
    fewer = annotation(words, Found({(2, 2): "OBS-DP", (1, 1): "ANAT-DP"}, {}))
    # Two of three entities, none of two relations: (0.8 + 0) / 2.
    assert overlap(fewer, told).combined == pytest.approx(0.4)
