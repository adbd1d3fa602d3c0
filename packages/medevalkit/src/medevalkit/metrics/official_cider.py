"""CIDEr as the official kit computes it: the plain one, over Penn Treebank tokens.

Its weights come from the captions of COCO's validation split: give them as `reports.frequencies`,
or the references of the task take their place and numbers are not those that the kit prints.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from medevalkit.metric import Given, Measured, Metric, Pair
from medevalkit.texts import named, read_frequencies, tokenized

_ORDERS = (1, 2, 3, 4)

Ngram = tuple[str, ...]


def _compute(pairs: Sequence[Pair], given: Given) -> Measured:
    texts = [(said.split(), wanted.split()) for said, wanted in tokenized(pairs, "ptb")]
    table = read_frequencies(given.settings.frequencies)
    if table is None:
        known = _document_frequencies([wanted for _, wanted in texts])
        log_documents = math.log(max(1, len(texts)))
    else:
        known, log_documents = table.by_words(), table.log_documents
    values = [cider(said, wanted, known, log_documents) for said, wanted in texts]
    return Measured({"official-cider": values}, f"plain CIDEr, ptb, {named(table)}")


def cider(
    said: Sequence[str],
    wanted: Sequence[str],
    known: Mapping[Ngram, float],
    log_documents: float,
) -> float:
    """Returns ten times the mean over n = 1 to 4 of the cosine of weighted n-gram counts.

    Args:
        said: Words of the response.
        wanted: Words of the reference.
        known: Document frequencies; what is not there counts as 1.
        log_documents: Natural logarithm of the number of documents.
    """
    found = []
    for order in _ORDERS:
        left, right = (
            {
                ngram: count * (log_documents - math.log(max(1.0, known.get(ngram, 0.0))))
                for ngram, count in _ngrams(words, order).items()
            }
            for words in (said, wanted)
        )
        norms = math.sqrt(sum(v * v for v in left.values()) * sum(v * v for v in right.values()))
        dot = sum(value * right.get(ngram, 0.0) for ngram, value in left.items())
        found.append(dot / norms if norms else 0.0)
    return 10 * sum(found) / len(found)


def _ngrams(words: Sequence[str], order: int) -> Counter[Ngram]:
    return Counter(tuple(words[i : i + order]) for i in range(len(words) - order + 1))


def _document_frequencies(texts: Sequence[Sequence[str]]) -> dict[Ngram, float]:
    found: Counter[Ngram] = Counter()
    for words in texts:
        found.update({ngram for order in _ORDERS for ngram in _ngrams(words, order)})
    return {ngram: float(count) for ngram, count in found.items()}


METRIC = Metric("plain CIDEr of the official kit", _compute)
