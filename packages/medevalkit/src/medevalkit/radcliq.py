"""RadCliQ in closed form: how many errors a radiologist would find, from four other metrics.

The two published composites (Yu et al., 2023; CXR-Report-Metric 9c9ecad) are linear: each feature
is centred, scaled and weighted. Lower is better, and a perfect report of v1 lies below zero, so
that a reciprocal can only be taken of a mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lingshu_core.errors import SettingsError
from medevalkit.metric import METRICS, Given, Measured, Metric, Pair

FEATURES = ("radgraph-f1", "bertscore", "sembscore", "bleu-2")
"""In the order of the composites' numbers."""


@dataclass(frozen=True)
class Composite:
    """Means, standard deviations and weights of the features, and the intercept."""

    mean: tuple[float, float, float, float]
    deviation: tuple[float, float, float, float]
    weight: tuple[float, float, float, float]
    intercept: float

    def __call__(self, features: Sequence[float]) -> float:
        """Returns the composite of the features, in the order of `FEATURES`."""
        terms = zip(features, self.mean, self.deviation, self.weight, strict=True)
        total = sum(weight * (value - mean) / scale for value, mean, scale, weight in terms)
        return total + self.intercept


V0 = Composite(
    mean=(0.5398376019082272, 0.6312549595000001, 0.7716797866672277, 0.4607372064809605),
    deviation=(0.3018344440559102, 0.22466950746141123, 0.24750333805236252, 0.30336670936092264),
    weight=(-0.4796252644863446, -0.6762170542369337, -0.46366575161751994, 0.2165861905287535),
    intercept=1.641666666666666,
)

V1 = Composite(
    mean=(0.5379231241355762, 0.6175725628125001, 0.7647942121140658, 0.44738335396242174),
    deviation=(0.3028258411486429, 0.22430938459304575, 0.2539439110169773, 0.2989271671041838),
    weight=(
        -0.37708368261038905,
        -0.37030009974480316,
        -0.25261621789593225,
        4.315048405024756e-12,
    ),
    intercept=2.466552561323256e-10,
)

_BY_MODELS = {
    "radgraph-f1": "RadGraph 1.0, from PhysioNet: mean of the F1 of entities and of relations",
    "bertscore": "distilroberta-base, F1 rescaled with its baseline",
    "sembscore": "CheXbert, cosine of the embeddings of both reports",
}


def composite_metric(name: str, composite: Composite) -> Metric:
    """Returns the metric of a composite, named `name`.

    BLEU-2 is counted here. The other features are looked up among the metrics by their names in
    `FEATURES`, and have to give values under the same name; computing without them is a
    SettingsError that says which are missing, and whose weights they take. `medevalkit measure`
    measures the built-in ones.
    """

    def compute(pairs: Sequence[Pair], given: Given) -> Measured:
        columns = [*_by_models(name, pairs, given), _bleu_2(pairs)]
        values = [composite(features) for features in zip(*columns, strict=True)]
        return Measured({name: values}, "BLEU-2 by nltk, method 1; the reciprocal is of the mean")

    describe = f"errors expected of a radiologist, {name.rpartition('-')[2]} (CXR-Report-Metric)"
    return Metric(describe, compute, lower_is_better=True, features=tuple(_BY_MODELS))


def _by_models(name: str, pairs: Sequence[Pair], given: Given) -> list[list[float]]:
    known = {metric.replace("_", "-") for metric in METRICS.names()}
    columns, missing = [], []
    for feature, weights in _BY_MODELS.items():
        if feature not in known:
            missing.append(f"{feature} ({weights}): no metric of that name is installed")
            continue
        try:
            columns.append(METRICS.get(feature).compute(pairs, given).values[feature])
        except SettingsError as error:
            missing.append(f"{feature} ({weights}): {error}")
    if missing:
        raise SettingsError(f"{name} needs {'; '.join(missing)}")
    return columns


def _bleu_2(pairs: Sequence[Pair]) -> list[float]:
    """Returns BLEU-2 over words in lower case, full stops apart; no match counts as a tenth."""
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    smooth = SmoothingFunction().method1
    return [
        float(sentence_bleu([_words(pair.reference)], _words(pair.response), (0.5, 0.5), smooth))
        for pair in pairs
    ]


def _words(text: str) -> list[str]:
    return text.lower().replace(".", " .").split()
