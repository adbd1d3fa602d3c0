"""ROUGE-L as the official kit computes it: words counted once each, sentences cut at every dot."""

from collections.abc import Sequence

from medevalkit.metric import Given, Measured, Metric, Pair
from medevalkit.official.marks import CrashError
from medevalkit.official.rouge import rouge


def _compute(pairs: Sequence[Pair], given: Given) -> Measured:
    values = [_value(pair) for pair in pairs]
    return Measured({"official-rouge-l": values}, "as rouge 1.0.1; empty responses count as 0")


def _value(pair: Pair) -> float:
    try:
        return rouge(pair.response.lower(), pair.reference.lower())["rougel"]
    except CrashError:
        return 0.0


METRIC = Metric("ROUGE-L of the official kit (rouge 1.0.1)", _compute)
