"""BLEU-1 to 4 as pycocoevalcap computes it, of each report; words in lower case."""

from collections.abc import Sequence

from medevalkit.metric import Given, Measured, Metric, Pair
from medevalkit.texts import tokenized


def _compute(pairs: Sequence[Pair], given: Given) -> Measured:
    from pycocoevalcap.bleu.bleu_scorer import BleuScorer

    scorer = BleuScorer(n=4)
    for response, reference in tokenized(pairs, given.settings.tokenizer):
        scorer += (response, [reference])
    _, lists = scorer.compute_score(option="closest", verbose=0)
    values = {f"bleu-{n}": [float(v) for v in found] for n, found in enumerate(lists, 1)}
    return Measured(values, f"pycocoevalcap, {given.settings.tokenizer}, mean over reports")


METRIC = Metric("BLEU-1 to 4 of each report (pycocoevalcap)", _compute)
