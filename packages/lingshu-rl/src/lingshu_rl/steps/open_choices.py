"""Turns choices with a word or phrase as answer into open questions (paper, section 3.1.4).

Only where the question stands without its options; "which of the following" asks nothing once the
following is gone, and an answer like "all of the above" says nothing.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from pydantic import Field

from lingshu_core.golds import ChoiceGold, PhraseGold
from lingshu_core.prompts import load_prompt
from lingshu_core.records import Question
from lingshu_rl.gold import fault
from lingshu_rl.settings import Endpoint
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
_AT_ONCE = 256
"""Questions between two consultations of the model."""
_YES_NO = {"yes", "no", "true", "false"}


class OpenChoices(Step):
    """Opens choices."""

    share: float = Field(default=1.0, ge=0, le=1)
    """How many of those that can be opened are; the others stay choices, for the balance."""
    longest: int = Field(default=5, ge=1)
    """Words of an answer."""
    endpoint: Endpoint | None = None
    """A model that is asked besides whether the question stands alone."""

    def run(self, items: Iterable[Item], desk: Desk) -> Iterator[Item]:
        """Yields every question, opened or as it was."""
        source = iter(items)
        while batch := list(islice(source, _AT_ONCE)):
            reasons = [self._reason(item.question, desk.seed) for item in batch]
            if self.endpoint is not None:
                self._consult(batch, reasons, desk)
            for item, reason in zip(batch, reasons, strict=True):
                yield self._open(item, desk) if reason is None else item
                if reason:
                    desk.note(f"kept as a choice: {reason}")

    def _reason(self, question: Question, seed: int) -> str | None:
        """Returns why a question stays as it is (nothing: it is no choice), None if it does not."""
        if not isinstance(question.gold, ChoiceGold):
            return ""
        reason = self.obstacle(question) or _trial(question)
        return reason or (None if self._drawn(question, seed) else "by share")

    def _consult(self, batch: Sequence[Item], reasons: list[str | None], desk: Desk) -> None:
        """Asks the model about those that the rules would open; silence keeps them closed."""
        from lingshu_rl.endpoint import Endpoint as Model

        assert self.endpoint is not None
        cache = Path(self.endpoint.cache or desk.journals / "standalone.sqlite")
        prompts = {
            place: _prompt(item.question)
            for place, item in enumerate(batch)
            if reasons[place] is None
        }
        replies = Model(self.endpoint, cache).ask(list(prompts.values()))
        for place, prompt in prompts.items():
            if (replies[prompt] or "").strip(" .!").casefold() != "yes":
                reasons[place] = "the model says that it needs its options"

    def _open(self, item: Item, desk: Desk) -> Item:
        opened = open_up(item.question)
        desk.note("opened", _shown(item.question), f"{opened.question} → {opened.answer}")
        return Item(opened, item.source, _others(item.question))

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


def _prompt(question: Question) -> str:
    assert isinstance(question.gold, ChoiceGold)
    return load_prompt("lingshu_rl", "standalone").render(
        question=json.dumps(question.question, ensure_ascii=False),
        options=json.dumps([option.text for option in question.options], ensure_ascii=False),
        answer=json.dumps(question.gold.text, ensure_ascii=False),
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
