"""The format reward: `<think>…</think><answer>…</answer>`, strictly (paper, section 3.1.4)."""

from lingshu_core.answers import read_format
from lingshu_core.records import Question
from lingshu_rl.reward import Reward, Verdict


def _score(_: Question, response: str) -> Verdict:
    if read_format(response) is None:
        return Verdict(0.0, "malformed")
    return Verdict(1.0, "well_formed")


REWARD = Reward(
    name="format",
    score=_score,
    summary="Reasoning, then the answer, each once between its tags, neither empty.",
)
