"""Boxes drawn onto a copy of a picture, visible on any background (paper, section 2.2.1, stage 2).

A frame is three lines side by side: light, colour, dark. Whatever the background, one of them
stands out from it and from its neighbours. The frame lies around the region and covers none of it.
Whoever changes the drawing raises `call.OVERLAY`.
"""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

from lingshu_core.records import Box

PALETTE = (
    (0, 229, 255), (255, 193, 7), (255, 64, 129), (118, 255, 3), (213, 128, 255), (255, 110, 64),
)  # fmt: skip
"""Bright colours that differ in hue for people with colour blindness too; one for each label."""

Size = tuple[int, int]

_DARK = (0, 0, 0)
_LIGHT = (255, 255, 255)
_PART = 300


def draw_boxes(image: Image.Image, boxes: Sequence[Box]) -> Image.Image:
    """Returns a copy of a picture in RGB with a frame around every box.

    Args:
        image: The picture, of any mode.
        boxes: In the picture's pixels; labels decide the colours, in the order of first mention.
    """
    drawn = image.convert("RGB")
    if drawn is image:
        drawn = image.copy()
    pen = ImageDraw.Draw(drawn)
    line = max(1, round(max(drawn.size) / _PART))
    labels = list(dict.fromkeys(box.label for box in boxes))
    for box in boxes:
        colour = PALETTE[labels.index(box.label) % len(PALETTE)]
        _frame(pen, box, line, colour, drawn.size)
    return drawn


def scaled(box: Box, across: float, down: float | None = None) -> Box:
    """Returns a box in a picture that was scaled; `down` is the same as `across` if left out."""
    down = across if down is None else down
    return Box(
        x=box.x * across,
        y=box.y * down,
        width=box.width * across,
        height=box.height * down,
        label=box.label,
    )


def _frame(
    pen: ImageDraw.ImageDraw, box: Box, line: int, colour: tuple[int, int, int], size: Size
) -> None:
    # The pixels that the region touches; the frame starts one outside of them.
    left, top = math.floor(box.x), math.floor(box.y)
    right, bottom = math.ceil(box.x + box.width) - 1, math.ceil(box.y + box.height) - 1
    reach = 0
    for shade in (_LIGHT, colour, _DARK):
        for _ in range(line):
            # At the border the outer lines would fall off the picture: they move inwards.
            inner = 3 * line - reach - 1
            reach += 1
            corners = (
                max(left - reach, inner),
                max(top - reach, inner),
                min(right + reach, size[0] - 1 - inner),
                min(bottom + reach, size[1] - 1 - inner),
            )
            if corners[0] <= corners[2] and corners[1] <= corners[3]:
                pen.rectangle(corners, outline=shade)
