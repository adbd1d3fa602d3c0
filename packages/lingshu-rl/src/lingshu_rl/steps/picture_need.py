"""Leaves out questions that are answered right without their picture: they teach no looking."""

import hashlib
from collections.abc import Iterable, Iterator

from pydantic import Field

from lingshu_rl.passes import Sampler, count_passes
from lingshu_rl.step import Desk, Item, Step


class PictureNeed(Sampler, Step):
    """Asks the starting checkpoint blind; what it still gets right is thinned out."""

    share: float = Field(default=0.5, ge=0, le=1)
    """Share of right answers from which a question counts as answered blind."""
    keep: float = Field(default=0.0, ge=0, le=1)
    """How many of those stay all the same (0: none; between: their weight)."""

    def run(self, items: Iterable[Item], desk: Desk) -> Iterator[Item]:
        """Yields the questions that need their picture, and a share of the others."""
        k = self.samples
        counted = count_passes(items, self, desk.journals, seed=desk.seed, blind=True)
        for item, passes in counted:
            if not item.question.images or passes < self.share * k:
                yield item
            elif self._stays(item.question.id, desk.seed):
                desk.note("answered without its picture, kept by weight")
                yield item
            else:
                desk.drop(item, "answered without its picture")

    def _stays(self, name: str, seed: int) -> bool:
        digest = hashlib.sha256(f"{seed}\0picture_need\0{name}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64 < self.keep


STEP = PictureNeed
