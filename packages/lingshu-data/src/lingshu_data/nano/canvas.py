"""What phantoms are drawn with: soft shapes and smooth noise on a square canvas.

A canvas is a float32 array (SIDE, SIDE, 3), grey levels or colours from 0 to 1. Places and lengths
are shares of the side, from the upper left corner.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

SIDE = 128

Canvas = np.ndarray
Mask = np.ndarray
"""float32 (SIDE, SIDE), 0 outside to 1 inside."""
Colour = Sequence[float]

_ROWS, _COLUMNS = (np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) + 0.5) / SIDE


def blank(colour: Colour) -> Canvas:
    """Returns a canvas of one colour."""
    return np.tile(np.asarray(colour, np.float32), (SIDE, SIDE, 1))


def ellipse(
    x: float, y: float, width: float, height: float, *, turn: float = 0.0, soft: float = 0.01
) -> Mask:
    """Returns an ellipse with half axes `width` and `height`, turned by radians."""
    found = np.zeros((SIDE, SIDE), np.float32)
    reach = max(width, height) * (1 + soft / min(width, height))
    window = (_span(y, reach), _span(x, reach))
    dx, dy = _COLUMNS[window] - x, _ROWS[window] - y
    along = dx * np.cos(turn) + dy * np.sin(turn)
    across = -dx * np.sin(turn) + dy * np.cos(turn)
    distance = np.sqrt((along / width) ** 2 + (across / height) ** 2)
    found[window] = _edge((1 - distance) * min(width, height), soft)
    return found


def ring(x: float, y: float, width: float, height: float, thick: float) -> Mask:
    """Returns an elliptic ring of a thickness."""
    inner = ellipse(x, y, width - thick, height - thick)
    return np.asarray(np.clip(ellipse(x, y, width, height) - inner, 0, 1))


def line(points: Sequence[tuple[float, float]], thick: float, *, soft: float = 0.008) -> Mask:
    """Returns a polyline through points."""
    found = np.zeros((SIDE, SIDE), np.float32)
    for (x0, y0), (x1, y1) in pairwise(points):
        dx, dy = x1 - x0, y1 - y0
        length = max(dx * dx + dy * dy, 1e-9)
        along = np.clip(((_COLUMNS - x0) * dx + (_ROWS - y0) * dy) / length, 0, 1)
        distance = np.hypot(_COLUMNS - x0 - along * dx, _ROWS - y0 - along * dy)
        found = np.maximum(found, _edge(thick / 2 - distance, soft))
    return found


def sector(x: float, y: float, half_angle: float, near: float, far: float) -> Mask:
    """Returns a fan that opens downwards from a point, as a curved probe sees it."""
    dx, dy = _COLUMNS - x, _ROWS - y
    angle = np.arctan2(dx, np.maximum(dy, 1e-6))
    distance = np.hypot(dx, dy)
    inside = np.minimum(distance - near, far - distance)
    return _edge(np.minimum(inside, (half_angle - np.abs(angle)) * distance), 0.01)


def band(heights: np.ndarray, thick: float) -> Mask:
    """Returns a horizontal band along a curve; `heights` are SIDE places from above."""
    return _edge(thick / 2 - np.abs(_ROWS - heights[None, :].astype(np.float32)), 0.008)


def paint(canvas: Canvas, mask: Mask, colour: Colour) -> None:
    """Covers a canvas with a colour where a mask is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size:
        window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        part = canvas[window]
        part += mask[window][..., None] * (np.asarray(colour, np.float32) - part)


def smooth(random: np.random.Generator, grain: float) -> Mask:
    """Returns noise from -1 to 1 without detail finer than a share of the side."""
    coarse = max(4, round(1 / grain) + 3)
    field = random.standard_normal((coarse, coarse))
    wide = zoom(field, SIDE / coarse, order=3)[:SIDE, :SIDE]
    return np.asarray(wide / max(float(np.abs(wide).max()), 1e-6), np.float32)


def texture(canvas: Canvas, noise: Mask, strength: float) -> None:
    """Makes a canvas lighter and darker by a noise."""
    canvas *= 1 + strength * noise[..., None]


def speckle(random: np.random.Generator) -> Mask:
    """Returns the grain of ultrasound: positive, of mean 1."""
    field = gaussian_filter(random.rayleigh(1.0, (SIDE, SIDE)), 0.7)
    return np.asarray(field / field.mean(), np.float32)


def curve(random: np.random.Generator, wave: float) -> np.ndarray:
    """Returns SIDE heights around 0 of a smooth curve with a greatest height."""
    steps = np.linspace(0, 2 * np.pi, SIDE)
    turns, phases = random.uniform(0.5, 1.5, 2), random.uniform(0, 2 * np.pi, 2)
    found = np.sin(steps * turns[0] + phases[0]) + 0.4 * np.sin(2.3 * steps * turns[1] + phases[1])
    return np.asarray(wave * found / 1.4)


def _span(middle: float, reach: float) -> slice:
    first, last = (
        int(np.clip(place * SIDE, 0, SIDE)) for place in (middle - reach, middle + reach)
    )
    return slice(first, min(last + 1, SIDE))


def _edge(inside: np.ndarray, soft: float) -> Mask:
    return np.clip(inside / soft + 0.5, 0, 1).astype(np.float32)
