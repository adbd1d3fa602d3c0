"""What every metric keeps to, and golden values of those that count words."""

import math
import shutil

import pytest

from lingshu_core.errors import SettingsError
from medevalkit.metric import METRICS, Given, Pair

REFERENCES = (
    "The heart is normal in size. The lungs are clear.",
    "There is a small left pleural effusion with adjacent atelectasis.",
    "Right lower lobe pneumonia. No pneumothorax is seen today.",
)
JAVA = {"official-cider", "meteor"}
WORDNET = "official-meteor"
BY_MODEL = sorted(name for name, metric in METRICS.items() if metric.weights or metric.features)
"""What `test_by_model.py` and `test_measure.py` compute."""


def computed(name, pairs):
    """Returns the values; a metric whose program or words are missing has to say so."""
    try:
        return METRICS.get(name).compute(pairs, Given()).values
    except SettingsError as error:
        assert "need" in str(error) and len(str(error)) > 30
        if name != WORDNET and (name not in JAVA or shutil.which("java")):
            raise
        pytest.skip(str(error))


def named():
    for name in sorted(set(METRICS.names()) - set(BY_MODEL)):
        # METEOR's program takes seconds to read its paraphrases.
        marks = [pytest.mark.slow] if name == "meteor" else []
        yield pytest.param(name.replace("_", "-"), marks=marks)


@pytest.mark.parametrize("name", BY_MODEL)
def test_a_metric_with_a_model_says_how_its_values_come_about(name):
    with pytest.raises(SettingsError, match="medevalkit measure"):
        METRICS.get(name).compute([Pair("clear lungs", "lungs are clear")], Given())


@pytest.mark.parametrize("name", list(named()))
def test_the_reference_scores_best_and_every_pair_has_its_value(name):
    metric, size = METRICS.get(name), len(REFERENCES)
    same = [Pair(text, text) for text in REFERENCES]
    other = [Pair(REFERENCES[i - 1], text) for i, text in enumerate(REFERENCES)]
    empty = [Pair("", text) for text in REFERENCES]
    for value, found in computed(name, [*same, *other, *empty]).items():
        assert len(found) == 3 * size and all(map(math.isfinite, found))
        best = sum(found[:size])
        for worse in (sum(found[size : 2 * size]), sum(found[2 * size :])):
            assert best < worse if metric.lower_is_better else best > worse, value


def test_rouge_l_counts_a_common_subsequence():
    # 3 of 4 words against 3 of 5, in order.
    pair = Pair("heart size is normal", "the heart is normal today")
    assert computed("rouge-l", [pair])["rouge-l"] == [pytest.approx(2 * 0.75 * 0.6 / 1.35)]


def test_official_bleu_is_not_smoothed():
    found = computed("official-bleu", [Pair("no mass.", "no mass is seen.")])
    # 3 tokens against 5: all of them occur, and the reply is short.
    assert found["official-bleu-1"] == [pytest.approx(math.exp(1 - 5 / 3))]
    assert found["official-bleu-4"][0] < 1e-70
