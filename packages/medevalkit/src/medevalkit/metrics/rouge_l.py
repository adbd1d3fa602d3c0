"""ROUGE-L as Google's `rouge-score` computes it: F1 of the longest common subsequence, stemmed."""

from collections.abc import Sequence

from medevalkit.metric import Metric


def _compute(responses: Sequence[str], references: Sequence[str]) -> list[float]:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    return [
        scorer.score(reference, response)["rougeL"].fmeasure
        for response, reference in zip(responses, references, strict=True)
    ]


METRIC = Metric("ROUGE-L", "longest common subsequence, F1, stemmed (rouge-score)", _compute)
