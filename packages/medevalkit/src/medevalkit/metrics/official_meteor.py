"""METEOR as the official kit computes it: NLTK's, which needs WordNet."""

from collections.abc import Sequence

from lingshu_core.errors import SettingsError
from medevalkit.metric import Given, Measured, Metric, Pair


def _compute(pairs: Sequence[Pair], given: Given) -> Measured:
    from nltk.corpus import wordnet
    from nltk.translate.meteor_score import single_meteor_score

    try:
        wordnet.ensure_loaded()
    except LookupError:
        raise SettingsError(
            "needs WordNet: python -m nltk.downloader wordnet, where there is a network"
        ) from None
    values = [
        float(single_meteor_score(pair.reference.split(), pair.response.split())) for pair in pairs
    ]
    return Measured({"official-meteor": values}, "nltk, WordNet")


METRIC = Metric("METEOR of the official kit (nltk with WordNet)", _compute)
