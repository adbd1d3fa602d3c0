"""Leaves out what teaches nothing: questions answered always right or always wrong (pass@k)."""

from collections.abc import Iterable, Iterator

from pydantic import Field

from lingshu_rl.passes import Sampler, count_passes
from lingshu_rl.step import Desk, Item, Step


class Difficulty(Sampler, Step):
    """Keeps questions by how many of k answers of the starting checkpoint are right.

    The count stays with the question as the tag `passes`, of `samples`.
    """

    least: int = Field(default=1, ge=0)
    """Right answers below which a question is left out."""
    most: int | None = Field(default=None, ge=0)
    """Right answers above which it is left out; None: k - 1."""

    def run(self, items: Iterable[Item], desk: Desk) -> Iterator[Item]:
        """Yields the questions of middling difficulty."""
        k = self.samples
        most = k - 1 if self.most is None else self.most
        for item, passes in count_passes(items, self, desk.journals, seed=desk.seed):
            desk.note(f"{passes} of {k} right")
            if passes < self.least:
                desk.drop(item, f"fewer than {self.least} of {k} answers are right")
            elif passes > most:
                desk.drop(item, f"more than {most} of {k} answers are right")
            else:
                tags = {**item.question.tags, "passes": str(passes), "samples": str(k)}
                yield item.having(tags=tags)


STEP = Difficulty
