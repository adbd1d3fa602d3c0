"""A model as referee, asked only where the rules are silent.

Its failure is no verdict: the answer then has no reward at all, which teaches nothing, where half
a reward would teach the wrong thing.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lingshu_core.answers import check
from lingshu_core.golds import PhraseGold
from lingshu_core.prompts import load_prompt
from lingshu_core.records import Question
from lingshu_rl.endpoint import Endpoint
from lingshu_rl.reward import Verdict
from lingshu_rl.settings import Judge as JudgeSettings

_WORD = re.compile(r"\W*(right|wrong)\W*", re.I)


class Judge:
    """Decides on phrases that no rule could tell.

    Args:
        settings: Endpoint, model, limits.
        cache: The SQLite file of its replies.
    """

    def __init__(self, settings: JudgeSettings, cache: Path) -> None:
        self._longest = settings.max_answer
        self._prompt = load_prompt("lingshu_rl", "judge")
        self._endpoint = Endpoint(settings, cache)
        self._verdicts: Counter[str] = Counter()

    @property
    def counts(self) -> Counter[str]:
        """Replies `asked` and `known` from the cache, tokens, and verdicts by reason."""
        return self._endpoint.counts + self._verdicts

    def __call__(self, pairs: Sequence[tuple[Question, str]]) -> list[Verdict]:
        """Returns a verdict on each answer; raises what `Endpoint.ask` raises."""
        prompts = [self._render(question, response) for question, response in pairs]
        replies = self._endpoint.ask([prompt for prompt in prompts if prompt not in _DECIDED])
        found = [_DECIDED.get(p) or _verdict(replies[p]) for p in prompts]
        self._verdicts.update(verdict.reason for verdict in found)
        return found

    def _render(self, question: Question, response: str) -> str:
        """Returns the prompt, or one of `_DECIDED` where nothing has to be asked."""
        assert isinstance(question.gold, PhraseGold)
        answer = check(question.gold, response).parsed
        if answer is None or len(answer) > self._longest:
            return "no_answer" if answer is None else "too_long"
        return self._prompt.render(
            question=question.question,
            gold=json.dumps(question.gold.accepted, ensure_ascii=False),
            answer=json.dumps(answer, ensure_ascii=False),
        )


_DECIDED = {
    "no_answer": Verdict(0.0, "no_answer"),
    "too_long": Verdict(0.0, "too_long_to_judge"),
}


def _verdict(reply: str | None) -> Verdict:
    if reply is None:
        return Verdict(None, "judge_failed")
    word = _WORD.fullmatch(reply)
    if word is None:
        return Verdict(None, "judge_unreadable")
    right = word[1].lower() == "right"
    return Verdict(1.0 if right else 0.0, "judged_right" if right else "judged_wrong")
