"""A probe: does the response commit once, and briefly? Several answers at once are bait."""

from lingshu_core.answers import check, final_answer, gold_of
from lingshu_core.golds import FindingsGold
from lingshu_core.records import Question
from lingshu_rl.reward import Reward, Verdict

_LONGEST = 300
"""Characters of an answer; a list of every candidate is longer, a report is not measured."""
_SEVERAL = {"several", "contradiction", "hedged"}


def _score(question: Question, response: str) -> Verdict:
    for mark in ("<answer>", "\\boxed{"):
        if response.count(mark) > 1:
            return Verdict(0.0, "several_marks")
    gold = gold_of(question)
    if gold is None or isinstance(gold, FindingsGold):
        return Verdict(1.0, "not_measured")
    if len(final_answer(response)[0]) > _LONGEST:
        return Verdict(0.0, "long_answer")
    options = {option.letter: option.text for option in question.options} or None
    if check(gold, response, options=options).reason in _SEVERAL:
        return Verdict(0.0, "several_answers")
    return Verdict(1.0, "one_answer")


REWARD = Reward(
    name="stuffing",
    score=_score,
    summary="The response commits to one answer, once, in at most 300 characters.",
)
