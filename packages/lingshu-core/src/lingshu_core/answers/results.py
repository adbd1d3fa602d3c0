"""What reading and checking an answer give back."""

from dataclasses import dataclass
from typing import Literal

CheckVerdict = Literal["right", "wrong", "unknown"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """An answer as it was read out of a response."""

    value: str | None
    """A letter (letters in order where several are asked for), `yes` or `no`; None: no answer."""
    reason: str
    """How it was found (`letter`, `boxed`, `answer_tag`, `option_text`, ...) or why there is none
    (`empty`, `refusal`, `several`, `negated`, `hedged`, `contradiction`, `not_an_option`,
    `unclosed_think`, `no_answer`)."""


@dataclass(frozen=True, slots=True)
class Check:
    """What the rules say about one answer."""

    verdict: CheckVerdict
    """`unknown` comes for phrases alone: neither a match nor a veto, so a judge may be asked."""
    parsed: str | None
    """The answer as read; None where the response commits to none (then it is `wrong`)."""
    reason: str
    """The rule that decided, as a short slug."""

    @classmethod
    def of(cls, right: bool, parsed: str, reason: str) -> "Check":
        """Returns a decided check of an answer that was read."""
        return cls("right" if right else "wrong", parsed, reason)

    @classmethod
    def unparsed(cls, reason: str) -> "Check":
        """Returns the check of a response in which no answer was found."""
        return cls("wrong", None, reason)
