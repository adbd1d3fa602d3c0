"""A probe: is the reasoning more than the question and its options said again?"""

import re

from lingshu_core.answers import read_format
from lingshu_core.records import Question
from lingshu_rl.reward import Reward, Verdict

_WORD = re.compile(r"\w+")
_WINDOW = 4
_FEWEST = 12
"""Words below which nothing is held against a thought."""
_MOST = 0.8


def _score(question: Question, response: str) -> Verdict:
    parts = read_format(response)
    if parts is None:
        return Verdict(1.0, "not_measured")
    thought = _words(parts.think)
    if len(thought) < _FEWEST:
        return Verdict(1.0, "short")
    asked = _words(" . ".join((question.question, *(option.text for option in question.options))))
    known = set(_windows(asked))
    windows = _windows(thought)
    copied = sum(window in known for window in windows) / len(windows)
    return Verdict(0.0, "copied") if copied > _MOST else Verdict(1.0, "own_words")


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _windows(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + _WINDOW]) for i in range(len(words) - _WINDOW + 1)]


REWARD = Reward(
    name="copying",
    score=_score,
    summary="The reasoning is not the question and its options said again.",
)
