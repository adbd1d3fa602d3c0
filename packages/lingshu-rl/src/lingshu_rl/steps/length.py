"""Leaves out prompts that are too long, picture tokens included: the trainer has no such limit."""

from collections.abc import Iterable, Iterator

from pydantic import Field

from lingshu_core.errors import DataError
from lingshu_core.messages import ask
from lingshu_rl.step import Desk, Item, Step


class Length(Step):
    """Counts tokens with the processor of the starting checkpoint; no picture is opened."""

    checkpoint: str
    longest: int = Field(default=2048, ge=1)
    """Tokens of a prompt (paper: 4,096 with its answer)."""
    max_pixels: int | None = None

    def run(self, items: Iterable[Item], desk: Desk) -> Iterator[Item]:
        """Yields the prompts that fit."""
        from lingshu_rl.loading import load_processor, quiet
        from lingshu_rl.questions import Asked, prompt_length

        quiet()
        processor = load_processor(self.checkpoint, self.max_pixels)
        for item in items:
            question = item.question
            try:
                asked = Asked(question, ask(question, "think"), ())
            except DataError as error:
                desk.drop(item, f"cannot be asked: {error.message}")
                continue
            if prompt_length(asked, processor) > self.longest:
                desk.drop(item, f"its prompt exceeds {self.longest} tokens")
            else:
                yield item


STEP = Length
