"""CIDEr as pycocoevalcap computes it (the variant with clipping and a length penalty, CIDEr-D)."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from medevalkit.metric import Given, Measured, Metric, Pair
from medevalkit.texts import Frequencies, named, read_frequencies, tokenized


def _compute(pairs: Sequence[Pair], given: Given) -> Measured:
    table = read_frequencies(given.settings.frequencies)
    scorer = _scorer(table)
    for response, reference in tokenized(pairs, given.settings.tokenizer):
        scorer += (response, [reference])
    if table is None:
        scorer.compute_doc_freq()
    values = [float(value) for value in scorer.compute_cider()]
    return Measured({"cider": values}, f"pycocoevalcap, {given.settings.tokenizer}, {named(table)}")


def _scorer(table: Frequencies | None) -> Any:
    from pycocoevalcap.cider.cider_scorer import CiderScorer

    if table is None:
        return CiderScorer()

    log_documents = table.log_documents

    class WithTable(CiderScorer):  # type: ignore[misc]
        """Takes the number of documents from the table and not from its own references."""

        ref_len = property(lambda self: log_documents, lambda self, value: None)

    scorer = WithTable()
    scorer.document_frequency = defaultdict(float, table.by_words())
    return scorer


METRIC = Metric("consensus of n-grams weighted by rarity, 0 to 10 (pycocoevalcap)", _compute)
