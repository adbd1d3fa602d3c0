"""BLEU as the official kit computes it: per sentence, without smoothing, empty tokens dropped."""

import warnings
from collections.abc import Sequence

from medevalkit.metric import Given, Measured, Metric, Pair


def _compute(pairs: Sequence[Pair], given: Given) -> Measured:
    from nltk.translate.bleu_score import sentence_bleu

    found: dict[str, list[float]] = {}
    with warnings.catch_warnings():
        # It warns of every text without common words of some length.
        warnings.simplefilter("ignore", UserWarning)
        for order in (1, 2, 3, 4):
            weights = [1 / order] * order
            found[f"official-bleu-{order}"] = [
                float(sentence_bleu([_tokens(p.reference)], _tokens(p.response), weights))
                if p.response.strip()
                else 0.0
                for p in pairs
            ]
    return Measured(found, "nltk sentence_bleu, no smoothing")


def _tokens(text: str) -> list[str]:
    return [token for token in text.lower().replace(".", " .").split(" ") if token]


METRIC = Metric("BLEU-1 to 4 of the official kit (nltk, no smoothing)", _compute)
