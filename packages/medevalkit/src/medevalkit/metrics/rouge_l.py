"""ROUGE-L as Google's `rouge-score` computes it: F1 of the longest common subsequence, stemmed."""

from collections.abc import Sequence

from medevalkit.metric import Given, Measured, Metric, Pair


def _compute(pairs: Sequence[Pair], given: Given) -> Measured:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    values = [scorer.score(pair.reference, pair.response)["rougeL"].fmeasure for pair in pairs]
    return Measured({"rouge-l": values}, "rouge-score, stemmed")


METRIC = Metric("longest common subsequence, F1, stemmed (rouge-score)", _compute)
