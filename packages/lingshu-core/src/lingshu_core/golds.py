"""How an answer can be verified by rule: one model for each kind of gold.

Curation writes a gold into a question once (`lingshu-rl curate`); the rewards and the scores
read it. A question without a gold is scored by its `answer` and `answer_kind`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Gold(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class ChoiceGold(_Gold):
    """A letter, and the text that stands behind it."""

    kind: Literal["choice"] = "choice"
    letter: str = Field(pattern=r"^[A-Z]+$")
    text: str


class YesNoGold(_Gold):
    """Yes or no."""

    kind: Literal["yes_no"] = "yes_no"
    value: Literal["yes", "no"]


class NumberGold(_Gold):
    """A number with its unit."""

    kind: Literal["number"] = "number"
    value: float
    unit: str | None = None
    """As written; None for a bare count."""
    tolerance: float = Field(default=0.0, ge=0)
    """Greatest difference that still counts, in the gold's unit."""


class PhraseGold(_Gold):
    """A word or phrase; every accepted wording is listed."""

    kind: Literal["phrase"] = "phrase"
    accepted: tuple[str, ...] = Field(min_length=1)


class BoxGold(_Gold):
    """Rectangles `(x, y, width, height)` in pixels of the original picture."""

    kind: Literal["box"] = "box"
    boxes: tuple[tuple[float, float, float, float], ...] = Field(min_length=1)
    iou: float = Field(default=0.5, gt=0, le=1)
    """Least overlap (intersection over union) that counts."""


class FindingsGold(_Gold):
    """What a report has to state."""

    kind: Literal["findings"] = "findings"
    findings: dict[str, Literal["present", "absent", "uncertain"]] = Field(min_length=1)


Gold = Annotated[
    ChoiceGold | YesNoGold | NumberGold | PhraseGold | BoxGold | FindingsGold,
    Field(discriminator="kind"),
]
