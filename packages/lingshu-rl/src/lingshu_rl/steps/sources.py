"""Keeps the datasets that a recipe names (paper, Table 5)."""

from collections.abc import Iterable, Iterator

from pydantic import Field

from lingshu_core.records import Question
from lingshu_rl.step import Desk, Item, Step

_SYNTHESIS = "lingshu-synth"


class Sources(Step):
    """Keeps questions by dataset."""

    datasets: tuple[str, ...] = Field(min_length=1)
    """Names as records carry them."""
    synthetic: bool = False
    """Whether questions that were synthesised stay too, whatever picture they are about."""

    def run(self, items: Iterable[Item], desk: Desk) -> Iterator[Item]:
        """Yields the questions of the named datasets."""
        for item in items:
            dataset = item.question.source.dataset
            if dataset in self.datasets or (self.synthetic and synthesised(item.question)):
                yield item
            else:
                desk.drop(item, f"dataset {dataset} is not among the sources")


def synthesised(question: Question) -> bool:
    """Says whether a question was written by synthesis."""
    return any(step.package == _SYNTHESIS for step in question.provenance)


STEP = Sources
