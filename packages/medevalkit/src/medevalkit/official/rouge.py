"""ROUGE as the package `rouge` 1.0.1 computes it, which the official kit uses.

Words are counted once each however often they occur, punctuation stays with its word, and
ROUGE-L unites the common subsequences of every pair of sentences (cut at every full stop).
"""

from collections.abc import Sequence
from itertools import pairwise

from medevalkit.official.marks import CrashError

_TINY = 1e-8


def rouge(response: str, reference: str) -> dict[str, float]:
    """Returns the F1 of ROUGE-1, ROUGE-2 and ROUGE-L.

    Raises:
        CrashError: One of the texts is empty; the package gives up, and the kit with it.
    """
    said, wanted = _sentences(response), _sentences(reference)
    if not said:
        raise CrashError("ValueError: Hypothesis is empty.")
    if not wanted:
        raise CrashError("ValueError: Reference is empty.")
    return {
        "rouge1": _overlap(set(_words(said)), set(_words(wanted))),
        "rouge2": _overlap(set(pairwise(_words(said))), set(pairwise(_words(wanted)))),
        "rougel": rouge_l(said, wanted),
    }


def rouge_l(said: Sequence[str], wanted: Sequence[str]) -> float:
    """Returns the F1 of ROUGE-L over lists of sentences."""
    union: set[str] = set()
    for reference in wanted:
        words = reference.split(" ")
        for sentence in said:
            union |= _common(words, sentence.split(" "))
    return _f1(len(union), len(set(_words(said))), len(set(_words(wanted))))


def _sentences(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split(".") if part]


def _words(sentences: Sequence[str]) -> list[str]:
    return [word for sentence in sentences for word in sentence.split(" ")]


def _overlap(said: set[object], wanted: set[object]) -> float:
    return _f1(len(said & wanted), len(said), len(wanted))


def _f1(common: int, said: int, wanted: int) -> float:
    precision = common / said if said else 0.0
    recall = common / wanted if wanted else 0.0
    return 2 * (precision * recall / (precision + recall + _TINY))


def _common(left: Sequence[str], right: Sequence[str]) -> set[str]:
    """Returns the words of the longest common subsequence that the package reconstructs."""
    lengths = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, one in enumerate(left, 1):
        for j, other in enumerate(right, 1):
            same = lengths[i - 1][j - 1] + 1
            longer = max(lengths[i - 1][j], lengths[i][j - 1])
            lengths[i][j] = same if one == other else longer
    found: set[str] = set()
    i, j = len(left), len(right)
    while i and j:
        if left[i - 1] == right[j - 1]:
            found.add(left[i - 1])
            i, j = i - 1, j - 1
        elif lengths[i - 1][j] > lengths[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return found
