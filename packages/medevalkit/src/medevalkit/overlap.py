"""How far a short answer covers the gold word by word: what can be said without a judge."""

import re
from collections import Counter

from lingshu_core.answers import normalise

_CHINESE = re.compile(r"([\u3400-\u9fff])")


def overlap(said: str, gold: str) -> dict[str, float]:
    """Returns `em`, 1 where both are the same words, and `token-f1`, the F1 of their words.

    Words are compared after the grammar's normalisation (case, spelling, punctuation); a Chinese
    character is a word. An empty answer has 0 of both.
    """
    ours, theirs = _words(said), _words(gold)
    common = sum((Counter(ours) & Counter(theirs)).values())
    f1 = 2 * common / (len(ours) + len(theirs)) if common else 0.0
    return {"em": float(bool(ours) and ours == theirs), "token-f1": f1}


def _words(text: str) -> list[str]:
    return _CHINESE.sub(r" \1 ", normalise(text)).split()
