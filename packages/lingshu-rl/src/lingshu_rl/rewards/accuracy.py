"""The accuracy reward: the answer against the gold, by the rules that evaluation uses too."""

from lingshu_core.answers import check, gold_of
from lingshu_core.records import Question
from lingshu_rl.reward import OPEN, Reward, Verdict


def _score(question: Question, response: str) -> Verdict:
    gold = gold_of(question)
    if gold is None:
        return Verdict(None, "no_gold")
    options = {option.letter: option.text for option in question.options} or None
    found = check(gold, response, options=options)
    if found.verdict == "unknown":
        return Verdict(0.0, OPEN)
    return Verdict(1.0 if found.verdict == "right" else 0.0, found.reason)


REWARD = Reward(
    name="accuracy",
    score=_score,
    summary="Whether the answer agrees with the gold that curation wrote into the question.",
)
