"""A probe: does the reasoning say something, and does it not say the same over and over?"""

import re
import zlib

from lingshu_core.answers import read_format
from lingshu_core.records import Question
from lingshu_rl.reward import Reward, Verdict

_WORD = re.compile(r"\w+")
_FEWEST = 24
"""Words below which repetition is no matter."""
_WINDOW = 3
_MOST = 0.5
_TIGHTEST = 0.15
"""A text that shrinks to this share of its length repeats itself, whatever its words are."""
_LONG = 400


def _score(_: Question, response: str) -> Verdict:
    parts = read_format(response)
    if parts is None:
        return Verdict(1.0, "not_measured")
    words = [word.casefold() for word in _WORD.findall(parts.think)]
    if not any(character.isalpha() for word in words for character in word):
        return Verdict(0.0, "no_words")
    if len(words) >= _FEWEST and _repeated(words) > _MOST:
        return Verdict(0.0, "repeated")
    data = parts.think.encode()
    if len(data) >= _LONG and len(zlib.compress(data)) / len(data) < _TIGHTEST:
        return Verdict(0.0, "repeated")
    return Verdict(1.0, "reasoned")


def _repeated(words: list[str]) -> float:
    """Returns the share of word triples that were said before."""
    windows = [tuple(words[i : i + _WINDOW]) for i in range(len(words) - _WINDOW + 1)]
    return 1 - len(set(windows)) / len(windows)


REWARD = Reward(
    name="reasoning",
    score=_score,
    summary="The reasoning holds words and does not repeat itself.",
)
