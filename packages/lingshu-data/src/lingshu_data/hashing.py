"""The perceptual hash of the paper (section 2.1.4), bit for bit that of `imagehash.phash`, faster.

Most of the time of `imagehash.phash` goes into Pillow's Lanczos scaling. Here the same fixed-point
arithmetic runs as products of float64 matrices, which hold every integer that occurs exactly; the
tests compare both on every mode and depth. The arithmetic is that of Pillow: weights rounded to 22
bits, one direction after the other, each rounded to 8 bits.
"""

import math
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image as Pillow
from scipy.fftpack import dct

ALGORITHM = "imagehash.phash/4.3"
"""What the hashes of this module are equal to."""

_BITS = 22
_ONE = 1 << _BITS
_LOBES = 3
_BLOCK = 8
"""Output columns computed at once: their windows overlap, and few zeros are multiplied."""
_HELD = 1 << 17
"""Levels that are numbers of 8 bytes at a time, as many as the processor's cache holds."""
_FLAT = 2.0
"""Spread of grey levels of a scaled picture below which its hash says nothing."""


class Hashed(NamedTuple):
    """What is known of a picture's looks."""

    bits: int
    """The hash; its first bit is the highest."""
    flat: bool
    """Whether the picture is so even that pictures like it share their hash by chance."""


def phash(image: Pillow.Image, size: int = 8) -> int:
    """Returns the perceptual hash of a picture, as `imagehash.phash(image, size)` has it.

    Args:
        image: Of any mode; more than 8 bits a channel are cut off as Pillow does, so scale first.
        size: Side of the hash: 8 for 64 bits, 16 for 256.
    """
    return hashed(grey(image), size).bits


def grey(image: Pillow.Image) -> np.ndarray:
    """Returns the grey levels of a picture of any mode as Pillow has them, uint8 (h, w)."""
    # A copy of a grey picture costs a tenth of what scaling it does.
    return np.asarray(image if image.mode == "L" else image.convert("L"))


def hashed(levels: np.ndarray, size: int = 8) -> Hashed:
    """Returns the perceptual hash of a picture, and whether it means anything.

    Args:
        levels: Of grey, uint8 (h, w).
        size: Side of the hash.
    """
    small = scaled(levels, 4 * size)
    low = dct(dct(small, axis=0), axis=1)[:size, :size]
    flat = low.ravel()
    middle = np.partition(flat, (flat.size // 2 - 1, flat.size // 2))
    median = (middle[flat.size // 2 - 1] + middle[flat.size // 2]) / 2
    bits = int.from_bytes(np.packbits(flat > median).tobytes(), "big")
    return Hashed(bits, _spread(small) < _FLAT)


def _spread(levels: np.ndarray) -> float:
    """Returns the standard deviation of grey levels, by whole numbers and in two passes."""
    values = levels.ravel().astype(np.int64)
    total, squares = int(values.sum()), int(values @ values)
    return math.sqrt(values.size * squares - total * total) / values.size


def distance(one: int, other: int) -> int:
    """Returns in how many bits two hashes differ."""
    return (one ^ other).bit_count()


def scaled(pixels: np.ndarray, side: int) -> np.ndarray:
    """Returns a grey picture scaled with Lanczos, as Pillow's `resize((side, side))` has it.

    Args:
        pixels: uint8 (h, w).
        side: Of the result, in pixels.

    Returns:
        uint8 (side, side).
    """
    height, width = pixels.shape
    if _rows_first(height, width, side) and pillow_shrinks_tall_pictures_by_rows_first():
        return _across(_down(pixels, side), side).astype(np.uint8)
    return _down(_across(pixels, side), side).astype(np.uint8)


@cache
def pillow_shrinks_tall_pictures_by_rows_first() -> bool:
    """Says which way the installed Pillow takes: 13 begins with the rows of tall pictures."""
    rows, columns = np.mgrid[0:96, 0:34]
    tall = ((rows * 37 + columns * 101) ** 2 % 251).astype(np.uint8)
    other = _down(_across(tall, 32), 32).astype(np.uint8)
    theirs = Pillow.fromarray(tall).resize((32, 32), Pillow.Resampling.LANCZOS)
    return not np.array_equal(np.asarray(theirs), other)


def _rows_first(height: int, width: int, side: int) -> bool:
    return height > max(side, 2 * width - side)


def _across(pixels: np.ndarray, side: int) -> np.ndarray:
    """Returns a picture scaled to a width, each value a whole number from 0 to 255."""
    height, width = pixels.shape
    if width == side:
        return pixels
    columns = np.empty((height, side))
    step = max(_HELD // width, 1)
    held = np.empty((min(step, height), width))
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        wide = held[: rows.stop - top]
        np.copyto(wide, pixels[rows])
        for first, start, stop, weights in _blocks(width, side):
            columns[rows, first : first + weights.shape[1]] = wide[:, start:stop] @ weights
    return _rounded(columns)


def _down(pixels: np.ndarray, side: int) -> np.ndarray:
    """Returns a picture scaled to a height."""
    if pixels.shape[0] == side:
        return pixels
    if pixels.shape[0] > 2 * pixels.shape[1]:
        return _across(np.ascontiguousarray(pixels.T), side).T
    return _rounded(_weights(pixels.shape[0], side) @ pixels.astype(np.float64))


def _rounded(sums: np.ndarray) -> np.ndarray:
    """Rounds sums of weighted levels to levels, in place."""
    sums += 0.5
    np.floor(sums, out=sums)
    np.maximum(sums, 0, out=sums)
    return np.asarray(np.minimum(sums, 255, out=sums))


@lru_cache(maxsize=256)
def _blocks(length: int, side: int) -> tuple[tuple[int, int, int, np.ndarray], ...]:
    """Returns the weights of some outputs at a time, with the window of inputs that they need."""
    weights = _weights(length, side)
    found = []
    for first in range(0, side, _BLOCK):
        rows = weights[first : first + _BLOCK]
        used = np.flatnonzero(rows.any(axis=0))
        start, stop = int(used[0]), int(used[-1]) + 1
        found.append((first, start, stop, np.ascontiguousarray(rows[:, start:stop].T)))
    return tuple(found)


@lru_cache(maxsize=256)
def _weights(length: int, side: int) -> np.ndarray:
    """Returns Pillow's fixed-point Lanczos weights, float64 (side, length).

    Each is a whole number of 2^-22, which float64 holds and sums as exactly as the number itself.
    """
    scale = length / side
    stretch = max(scale, 1.0)
    reach = _LOBES * stretch
    centres = (np.arange(side) + 0.5) * scale
    starts = np.maximum(np.trunc(centres - reach + 0.5), 0)
    stops = np.minimum(np.trunc(centres + reach + 0.5), length)
    taps = starts[:, None] + np.arange(int((stops - starts).max()))
    place = (taps - centres[:, None] + 0.5) * (1.0 / stretch)
    inside = (taps < stops[:, None]) & (place >= -_LOBES) & (place < _LOBES)
    values = np.where(inside, np.sinc(place) * np.sinc(place / _LOBES), 0.0)
    # Summed from left to right as Pillow does, so that the last bit is the same.
    values /= np.add.accumulate(values, axis=1)[:, -1:]
    fixed = np.trunc(values * _ONE + np.copysign(0.5, values))
    weights = np.zeros((side, length))
    rows = np.broadcast_to(np.arange(side)[:, None], taps.shape)
    weights[rows[inside], taps[inside].astype(int)] = fixed[inside] / _ONE
    return weights
