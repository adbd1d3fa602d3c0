"""Turns choices with a word or phrase as answer into open questions (paper, section 3.1.4).

Only where the question stands without its options; "which of the following" asks nothing once the
following is gone, and an answer like "all of the above" says nothing.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator

from pydantic import Field

from lingshu_core.golds import ChoiceGold, PhraseGold
from lingshu_core.records import Question
from lingshu_rl.gold import fault
from lingshu_rl.step import Desk, Item, Step

_LEANS = re.compile(
    r"\b(?:which|what|whom?) (?:one )?of (?:the|these|those)\b"
    r"|\b(?:following|below|above|options?|choices?|alternatives?|listed|statements?)\b"
    r"|\b(?:except|incorrect|least|not true|false|best describes?|true (?:about|regarding|of))\b"
    r"|\bnot\b[^?]{0,40}\?\s*$|_{2,}|\b(?:a|b|c|d|e)\) ",
    re.I,
)
"""Words by which a question leans on its options."""
_LEANS_CASED = re.compile(r"\b(?:NOT|EXCEPT|ALL|ONLY)\b")
_EMPTY = re.compile(
    r"\b(?:all|none|both|neither|any|either) (?:of )?(?:the )?"
    r"(?:above|these|them|options?|following)\b"
    r"|\b(?:both|either|neither) .{1,40}\b(?:and|or|nor)\b"
    r"|^\W*[A-H]\W*(?:(?:and|&|,)\W*[A-H]\W*)*$|\b(?:options?|choices?) [A-H]\b"
    r"|\b(?:cannot|can't|can not) be (?:determined|told|said)\b|\bnot (?:sure|given|specified)\b"
    r"|\b[A-H] (?:and|&) [A-H]\b",
    re.I,
)
"""Answers that mean nothing without the options."""
_YES_NO = {"yes", "no", "true", "false"}


class OpenChoices(Step):
    """Opens choices."""

    share: float = Field(default=1.0, ge=0, le=1)
    """How many of those that can be opened are; the others stay choices, for the balance."""
    longest: int = Field(default=5, ge=1)
    """Words of an answer."""

    def run(self, items: Iterable[Item], desk: Desk) -> Iterator[Item]:
        """Yields every question, opened or as it was."""
        for item in items:
            question = item.question
            if not isinstance(question.gold, ChoiceGold):
                yield item
                continue
            reason = self.obstacle(question) or _trial(question)
            if reason:
                desk.note(f"kept as a choice: {reason}")
                yield item
            elif self._drawn(question, desk.seed):
                opened = open_up(question)
                desk.note("opened", _shown(question), f"{opened.question} → {opened.answer}")
                yield Item(opened, item.source, _others(question))
            else:
                desk.note("kept as a choice: by share")
                yield item

    def obstacle(self, question: Question) -> str:
        """Returns why a choice cannot stand without its options, or nothing."""
        assert isinstance(question.gold, ChoiceGold)
        answer = question.gold.text
        if len(question.gold.letter) != 1:
            return "several letters"
        if _LEANS.search(question.question) or _LEANS_CASED.search(question.question):
            return "the question leans on its options"
        if _EMPTY.search(answer) or answer.strip(" .").casefold() in _YES_NO:
            return "the answer says nothing alone"
        if len(answer.split()) > self.longest:
            return "the answer is long"
        return ""

    def _drawn(self, question: Question, seed: int) -> bool:
        digest = hashlib.sha256(f"{seed}\0open\0{question.id}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64 < self.share


def open_up(question: Question) -> Question:
    """Returns a choice as an open question whose answer is the text of its option."""
    assert isinstance(question.gold, ChoiceGold)
    text = question.gold.text
    return question.replace(
        answer_kind="open",
        options=(),
        answer=text,
        rationale=None,
        gold=PhraseGold(accepted=(text,)),
        tags={**question.tags, "opened": "true"},
    )


def _others(question: Question) -> tuple[str, ...]:
    return tuple(option.text for option in question.options if option.letter != question.answer)


def _trial(question: Question) -> str:
    opened = open_up(question)
    assert opened.gold is not None
    return fault(opened, opened.gold, _others(question))


def _shown(question: Question) -> str:
    return f"{question.question} ({' · '.join(option.text for option in question.options)})"


STEP = OpenChoices
