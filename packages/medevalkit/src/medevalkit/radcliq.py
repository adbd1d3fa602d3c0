"""RadCliQ in closed form: how many errors a radiologist would find, from four other metrics.

The two published composites (Yu et al., 2023; CXR-Report-Metric 9c9ecad) are linear: each feature
is centred, scaled and weighted. Lower is better, and a perfect report of v1 lies below zero, so
that a reciprocal can only be taken of a mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
