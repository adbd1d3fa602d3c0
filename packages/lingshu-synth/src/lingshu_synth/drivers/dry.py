"""No calls either: counts what would be asked, and what that would cost."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from lingshu_synth.call import Call, Reply, Request, request_of
from lingshu_synth.driver import Driver, Faults, Replies
from lingshu_synth.generator import Generator
from lingshu_synth.prices import Price, prompt_tokens, text_tokens
from lingshu_synth.reading import Reading


@dataclass
class Stage:
    """What one stage of a script takes, over the whole input."""

    calls: int = 0
    answered: int = 0
    """Of these, how many the journal answers already."""
    prompt_tokens: int = 0
    """Of the calls that are still to be made; so are all figures below."""
    reply_tokens: int = 0
    """By replies of the usual length."""
    most_reply_tokens: int = 0
    """If every reply took all that it may."""


@dataclass
class Estimate:
    """What a run would take."""

    records: int = 0
    stages: dict[str, Stage] = field(default_factory=lambda: defaultdict(Stage))

    def calls(self) -> int:
        """Returns how many calls would be made."""
        return sum(stage.calls - stage.answered for stage in self.stages.values())

    def usd(self, price: Price, *, batch: bool, most: bool = False) -> float:
        """Returns what they would cost, or could cost at most."""
        prompt = sum(stage.prompt_tokens for stage in self.stages.values())
        reply = sum(
            stage.most_reply_tokens if most else stage.reply_tokens
            for stage in self.stages.values()
        )
        return price.usd(prompt, reply, batch=batch)


class Dry(Driver):
    """Runs every script with replies from the journal where it has them, else with made-up ones.

    Args:
        replies: What the journal holds; None where there is no journal yet.
        price: Of the model, which also says how its pictures are counted.
    """

    def __init__(self, replies: Replies | None, price: Price | None) -> None:
        self._replies = replies
        self._price = price
        self._seen: set[int] = set()
        """Of every call the first 64 bits of its key, so that equal ones count once."""
        self.estimate = Estimate()

    def ask(self, reading: Reading, generator: Generator[Any]) -> Faults:
        """See `Driver.ask`; the result is in `estimate`."""
        for item in reading.items():
            self.estimate.records += 1
            generator.play(item, self._answers)
        return {}

    def _answers(self, calls: tuple[Call, ...]) -> tuple[Reply, ...]:
        return tuple(self._answer(request_of(call)) for call in calls)

    def _answer(self, request: Request) -> Reply:
        call = request.call
        reply = self._replies.find(request)[1] if self._replies else None
        short = int(request.key[:16], 16)
        if short not in self._seen:
            self._seen.add(short)
            self._count(call, answered=reply is not None)
        return reply or Reply(request.key, call.example, "stop")

    def _count(self, call: Call, *, answered: bool) -> None:
        stage = self.estimate.stages[call.stage]
        stage.calls += 1
        if answered:
            stage.answered += 1
            return
        stage.prompt_tokens += prompt_tokens(call, self._price)
        stage.reply_tokens += min(text_tokens(call.example), call.model.max_tokens)
        stage.most_reply_tokens += call.model.max_tokens
