"""Writes into every question how its answer is verified, and drops those that rules cannot."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from lingshu_rl.gold import decide, fault, read_aliases
from lingshu_rl.step import Desk, Item, Step


class Golds(Step):
    """Decides the gold, then tries the checker: the gold passes, every distractor fails."""

    synonyms: str | None = None
    """A table of other wordings: `{"canonical": "kidney stone", "synonyms": ["nephrolith"]}` a
    line. They are written into the gold, so that training and evaluation accept the same."""

    def run(self, items: Iterable[Item], desk: Desk) -> Iterator[Item]:
        """Yields the questions that have a gold."""
        aliases = read_aliases(Path(self.synonyms)) if self.synonyms else {}
        for item in items:
            gold, reason = decide(item.question, aliases)
            if gold is not None:
                reason = fault(item.question, gold, item.distractors)
            if gold is None or reason:
                desk.drop(item, reason)
                continue
            desk.note(f"{gold.kind} gold")
            yield item.having(gold=gold)


STEP = Golds
