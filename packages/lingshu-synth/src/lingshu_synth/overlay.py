"""Boxes drawn onto a copy of a picture, visible on any background (paper, section 2.2.1, stage 2).

A frame is three lines side by side: dark, colour, light. Whatever the background, one of them
stands out from it and from its neighbours. The frame lies around the region and covers none of it.
"""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from lingshu_core.records import Box

VERSION = 1
"""Goes into what a picture is known by: another way of drawing is another picture."""

PALETTE = (
    (0, 229, 255), (255, 193, 7), (255, 64, 129), (118, 255, 3), (213, 128, 255), (255, 110, 64),
)  # fmt: skip
"""Bright colours that differ in hue for people with colour blindness too; one for each label."""

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
        _frame(pen, box, line, colour)
    return drawn


def _frame(pen: ImageDraw.ImageDraw, box: Box, line: int, colour: tuple[int, int, int]) -> None:
    # Pixel rows and columns that the region touches; the frame starts one outside of them.
    left, top = int(box.x), int(box.y)
    right, bottom = -int(-(box.x + box.width) // 1) - 1, -int(-(box.y + box.height) // 1) - 1
    reach = 0
    for shade in (_LIGHT, colour, _DARK):
        for _ in range(line):
            reach += 1
            pen.rectangle((left - reach, top - reach, right + reach, bottom + reach), outline=shade)
