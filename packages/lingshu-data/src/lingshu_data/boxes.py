"""Rectangles out of masks: the least that enclose each connected region (paper, section 2.2.1)."""

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import find_objects, label

from lingshu_core.records import Box

_LEAST_PIXELS = 4
"""Smaller regions are stray pixels of an outline."""


def boxes_of(mask: np.ndarray, labels: Mapping[str, str]) -> tuple[Box, ...]:
    """Returns a box around every connected region of a label picture.

    Args:
        mask: Integers (height, width), 0 where nothing is.
        labels: What the values stand for, by the value as text; others are passed over.
    """
    found = []
    for value, name in labels.items():
        regions, count = label(mask == int(value), structure=np.ones((3, 3)))
        sizes = np.bincount(regions.ravel(), minlength=count + 1)
        for number, place in enumerate(find_objects(regions), 1):
            if place is not None and sizes[number] >= _LEAST_PIXELS:
                rows, columns = place
                found.append(
                    Box(
                        x=columns.start,
                        y=rows.start,
                        width=columns.stop - columns.start,
                        height=rows.stop - rows.start,
                        label=name,
                    )
                )
    return tuple(found)


def corner_box(
    left: float, upper: float, right: float, lower: float, label: str | None
) -> Box | None:
    """Returns a box between two corners, or None where it has no area; publishers have such."""
    if right <= left or lower <= upper:
        return None
    return Box(
        x=max(left, 0.0), y=max(upper, 0.0), width=right - left, height=lower - upper, label=label
    )
