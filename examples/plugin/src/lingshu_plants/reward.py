"""The reward: all of it up to thirty words, and less the more there are."""

from lingshu_core.records import Question
from lingshu_rl.reward import Reward, Verdict

_FREE = 30


def _score(_: Question, response: str) -> Verdict:
    words = len(response.split())
    return Verdict(min(1.0, _FREE / words) if words else 0.0, "short" if words <= _FREE else "long")


REWARD = Reward(name="brevity", score=_score, summary="Thirty words are enough.")
