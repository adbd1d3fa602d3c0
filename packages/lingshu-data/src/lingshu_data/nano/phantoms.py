"""Phantoms: pictures in the manner of each modality, drawn from a seed and no patient's.

Each function takes a generator and an organ and returns a canvas (`canvas.py`). What tells one
modality or organ from another is drawn the same way every time; sizes, places, shades and grain
vary from seed to seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lingshu_core.modality import Modality
from lingshu_data.nano import canvas as c

Draw = Callable[[np.random.Generator, str], c.Canvas]


@dataclass(frozen=True)
class Phantom:
    """One modality of the collection."""

    draw: Draw
    organs: tuple[str, ...]
    finding: str
    """What may be drawn into a view of it."""
    mark: tuple[float, float, float]
    """The colour of the finding, 0 to 1."""
    colour: bool = False


def _grey(level: float) -> tuple[float, float, float]:
    return (level, level, level)


def _ct(random: np.random.Generator, organ: str) -> c.Canvas:
    page = c.blank(_grey(0.0))
    x, y = random.uniform(0.47, 0.53, 2)
    if organ == "brain":
        width, height = random.uniform(0.30, 0.36), random.uniform(0.38, 0.43)
        c.paint(page, c.ellipse(x, y, width, height), _grey(1.0))
        c.paint(page, c.ellipse(x, y, width - 0.045, height - 0.045), _grey(0.42))
        for side in (-1, 1):
            c.paint(page, c.ellipse(x + side * 0.06, y, 0.03, 0.11, turn=side * 0.3), _grey(0.18))
        c.texture(page, c.smooth(random, 0.06), 0.08)
        return page
    width, height = random.uniform(0.40, 0.45), random.uniform(0.29, 0.34)
    c.paint(page, c.ellipse(x, y, width, height), _grey(0.30))
    c.paint(page, c.ellipse(x, y, width - 0.03, height - 0.03), _grey(0.48))
    if organ == "lung":
        for side in (-1, 1):
            lung = c.ellipse(x + side * 0.21, y - 0.01, 0.14, 0.21, turn=side * 0.15)
            c.paint(page, lung, _grey(0.06))
        c.paint(page, c.ellipse(x + 0.04, y, 0.10, 0.12), _grey(0.56))
    elif organ == "abdomen":
        c.paint(page, c.ellipse(x - 0.17, y - 0.05, 0.19, 0.15), _grey(0.62))
        c.paint(page, c.ellipse(x + 0.22, y - 0.06, 0.09, 0.10), _grey(0.58))
        for side in (-1, 1):
            c.paint(page, c.ellipse(x + side * 0.17, y + 0.13, 0.06, 0.07), _grey(0.72))
    vertebra = 0.06 if organ != "spine" else random.uniform(0.13, 0.16)
    below = 0.20 if organ != "spine" else 0.0
    c.paint(page, c.ellipse(x, y + below, vertebra, vertebra * 0.85), _grey(1.0))
    if organ == "spine":
        c.paint(page, c.ellipse(x, y + 0.17, 0.05, 0.035), _grey(0.40))
        wings = [(x - 0.22, y + 0.22), (x, y + 0.19), (x + 0.22, y + 0.22)]
        c.paint(page, c.line(wings, 0.05), _grey(0.95))
        c.paint(page, c.line([(x, y + 0.2), (x, y + 0.29)], 0.05), _grey(0.95))
    c.texture(page, c.smooth(random, 0.05), 0.06)
    return page


def _mri(random: np.random.Generator, organ: str) -> c.Canvas:
    page = c.blank(_grey(0.02))
    x, y = random.uniform(0.47, 0.53, 2)
    if organ == "brain":
        width, height = random.uniform(0.30, 0.35), random.uniform(0.37, 0.42)
        c.paint(page, c.ellipse(x, y, width + 0.05, height + 0.05), _grey(0.70))
        c.paint(page, c.ellipse(x, y, width + 0.02, height + 0.02), _grey(0.03))
        c.paint(page, c.ellipse(x, y, width, height), _grey(0.45))
        inner = c.ellipse(x, y, width * 0.78, height * 0.78, soft=0.05)
        folds = np.clip(inner + 0.5 * c.smooth(random, 0.05), 0, 1)
        c.paint(page, folds * c.ellipse(x, y, width, height), _grey(0.66))
        for side in (-1, 1):
            c.paint(page, c.ellipse(x + side * 0.05, y, 0.025, 0.10, turn=side * 0.25), _grey(0.08))
        return page
    if organ == "shoulder":
        c.paint(page, c.ellipse(0.5, 0.62, 0.55, 0.52), _grey(0.22))
        c.texture(page, c.smooth(random, 0.07), 0.5)
        head_x, head_y = x - 0.06, y - 0.04
        shaft = c.line([(head_x, head_y), (head_x - 0.14, 1.1)], 0.21)
        c.paint(page, shaft, _grey(0.80))
        c.paint(page, c.ellipse(head_x, head_y, 0.20, 0.19), _grey(0.90))
        socket = c.ellipse(head_x + 0.32, head_y + 0.06, 0.10, 0.15)
        c.paint(page, socket, _grey(0.75))
        return page
    width, height = random.uniform(0.40, 0.45), random.uniform(0.28, 0.33)
    c.paint(page, c.ellipse(x, y, width, height), _grey(0.85))
    c.paint(page, c.ellipse(x, y, width - 0.05, height - 0.05), _grey(0.20))
    c.paint(page, c.ellipse(x - 0.15, y - 0.03, 0.17, 0.15), _grey(0.42))
    for side in (-1, 1):
        c.paint(page, c.ellipse(x + side * 0.18, y + 0.11, 0.055, 0.075), _grey(0.72))
    c.paint(page, c.ellipse(x, y + 0.14, 0.06, 0.05), _grey(0.32))
    c.texture(page, c.smooth(random, 0.06), 0.25)
    return page


def _xray(random: np.random.Generator, organ: str) -> c.Canvas:
    if organ == "leg":
        page = c.blank(_grey(0.12))
        lean = random.uniform(-0.06, 0.06)
        middle = random.uniform(0.46, 0.54)
        c.paint(
            page,
            c.line([(middle - lean, -0.1), (middle + lean, 1.1)], 0.46, soft=0.06),
            _grey(0.45),
        )
        for offset, thick in ((-0.07, 0.13), (0.10, 0.07)):
            ends = [(middle - lean + offset, -0.1), (middle + lean + offset, 1.1)]
            c.paint(page, c.line(ends, thick, soft=0.02), _grey(0.92))
            c.paint(page, c.line(ends, thick * 0.4, soft=0.03), _grey(0.74))
        c.texture(page, c.smooth(random, 0.1), 0.06)
        return page
    page = c.blank(_grey(0.58))
    c.texture(page, c.smooth(random, 0.3), 0.15)
    middle = random.uniform(0.47, 0.53)
    for side in (-1, 1):
        lung = c.ellipse(
            middle + side * random.uniform(0.20, 0.23),
            0.45,
            0.16,
            0.33,
            turn=side * 0.12,
            soft=0.04,
        )
        c.paint(page, lung, _grey(0.20))
        for step in range(6):
            height = 0.18 + 0.1 * step
            rib = [
                (middle + side * 0.06, height),
                (middle + side * 0.22, height - 0.03),
                (middle + side * 0.40, height + 0.09),
            ]
            c.paint(page, c.line(rib, 0.022) * 0.45, _grey(0.62))
    c.paint(page, c.line([(middle, 0.0), (middle, 1.0)], 0.10, soft=0.03), _grey(0.74))
    c.paint(page, c.ellipse(middle + 0.06, 0.60, 0.13, 0.15, soft=0.04), _grey(0.82))
    return page


def _ultrasound(random: np.random.Generator, organ: str) -> c.Canvas:
    page = c.blank(_grey(0.0))
    x = random.uniform(0.47, 0.53)
    fan = c.sector(x, -0.06, random.uniform(0.72, 0.85), 0.10, random.uniform(0.98, 1.04))
    tissue = c.blank(_grey(0.42))
    c.texture(tissue, c.smooth(random, 0.12), 0.35)
    if organ == "heart":
        for dx, dy, width, height in (
            (-0.11, 0.40, 0.085, 0.14),
            (0.10, 0.42, 0.09, 0.15),
            (-0.09, 0.70, 0.08, 0.09),
            (0.11, 0.72, 0.08, 0.09),
        ):
            place = (x + dx + random.uniform(-0.01, 0.01), dy + random.uniform(-0.01, 0.01))
            c.paint(tissue, c.ellipse(*place, width, height, soft=0.03), _grey(0.05))
    else:
        for _ in range(3):
            start = (x + random.uniform(-0.2, 0.2), random.uniform(0.35, 0.7))
            end = (start[0] + random.uniform(-0.2, 0.2), start[1] + random.uniform(0.05, 0.12))
            c.paint(tissue, c.line([start, end], 0.03), _grey(0.12))
        c.paint(tissue, c.band(0.90 + c.curve(random, 0.02), 0.03), _grey(0.75))
    tissue *= c.speckle(random)[..., None]
    c.paint(page, fan, _grey(0.0))
    return np.asarray(page + fan[..., None] * tissue)


def _fundus(random: np.random.Generator, organ: str) -> c.Canvas:
    page = c.blank((0.0, 0.0, 0.0))
    x, y = random.uniform(0.48, 0.52, 2)
    eye = c.ellipse(x, y, 0.47, 0.47)
    c.paint(page, eye, (0.80, 0.32 + random.uniform(-0.05, 0.05), 0.14))
    c.paint(page, c.ellipse(x, y, 0.22, 0.22, soft=0.3) * 0.4, (0.60, 0.20, 0.08))
    side = random.choice([-1, 1])
    disc_x, disc_y = x + side * random.uniform(0.27, 0.31), y + random.uniform(-0.03, 0.03)
    for way in (-1, 1):
        for spread in (0.16, 0.34):
            bend = (disc_x - side * 0.22, disc_y + way * spread * 0.9)
            end = (disc_x - side * 0.55, disc_y + way * (spread + random.uniform(-0.06, 0.06)))
            vessel = c.line([(disc_x, disc_y), bend, end], 0.018)
            c.paint(page, vessel * eye, (0.48, 0.08, 0.05))
    c.paint(page, c.ellipse(disc_x, disc_y, 0.07, 0.08, soft=0.02), (0.98, 0.84, 0.52))
    return page


def _histopathology(random: np.random.Generator, organ: str) -> c.Canvas:
    page = c.blank((0.93, 0.72, 0.82))
    c.texture(page, c.smooth(random, 0.08), 0.08)
    if organ == "colon":
        for row in range(3):
            for column in range(3):
                x = 0.18 + 0.32 * column + random.uniform(-0.04, 0.04)
                y = 0.18 + 0.32 * row + random.uniform(-0.04, 0.04)
                size = random.uniform(0.11, 0.14)
                c.paint(page, c.ellipse(x, y, size, size), (0.55, 0.30, 0.62))
                c.paint(page, c.ellipse(x, y, size * 0.55, size * 0.55), (0.98, 0.93, 0.96))
        return page
    for _ in range(110):
        x, y = random.uniform(0.0, 1.0, 2)
        size = random.uniform(0.014, 0.022)
        cell = c.ellipse(x, y, size, size * 0.8, turn=random.uniform(0, 3))
        c.paint(page, cell, (0.42, 0.22, 0.58))
    return page


def _microscopy(random: np.random.Generator, organ: str) -> c.Canvas:
    page = c.blank((0.90, 0.89, 0.86))
    for _ in range(38):
        x, y = random.uniform(0.0, 1.0, 2)
        size = random.uniform(0.06, 0.072)
        c.paint(page, c.ellipse(x, y, size, size) * 0.8, (0.86, 0.55, 0.52))
        c.paint(page, c.ellipse(x, y, size * 0.4, size * 0.4, soft=0.03) * 0.7, (0.92, 0.76, 0.72))
    return page


def _dermoscopy(random: np.random.Generator, organ: str) -> c.Canvas:
    tone = random.uniform(-0.05, 0.05)
    page = c.blank((0.90 + tone, 0.70 + tone, 0.58 + tone))
    c.texture(page, c.smooth(random, 0.04), 0.06)
    c.texture(page, c.smooth(random, 0.5), 0.08)
    for _ in range(int(random.integers(4, 8))):
        x, y = random.uniform(0, 1, 2)
        end = (x + random.uniform(-0.5, 0.5), y + random.uniform(-0.5, 0.5))
        c.paint(page, c.line([(x, y), end], 0.008), (0.35, 0.24, 0.18))
    return page


PHANTOMS: dict[Modality, Phantom] = {
    Modality.CT: Phantom(_ct, ("brain", "lung", "abdomen", "spine"), "nodule", (1.0, 1.0, 1.0)),
    Modality.MRI: Phantom(_mri, ("brain", "shoulder", "abdomen"), "lesion", (1.0, 1.0, 1.0)),
    Modality.XRAY: Phantom(_xray, ("lung", "leg"), "nodule", (1.0, 1.0, 1.0)),
    Modality.ULTRASOUND: Phantom(_ultrasound, ("heart", "liver"), "mass", (1.0, 1.0, 1.0)),
    Modality.FUNDUS: Phantom(_fundus, ("retina",), "hemorrhage", (0.22, 0.0, 0.02), colour=True),
    Modality.HISTOPATHOLOGY: Phantom(
        _histopathology, ("colon", "skin"), "calcification", (0.10, 0.05, 0.40), colour=True
    ),
    Modality.MICROSCOPY: Phantom(
        _microscopy, ("blood",), "leukocyte", (0.36, 0.14, 0.60), colour=True
    ),
    Modality.DERMOSCOPY: Phantom(_dermoscopy, ("skin",), "nevus", (0.30, 0.13, 0.06), colour=True),
}


@lru_cache(maxsize=8)
def draw(modality: Modality, organ: str, seed: int) -> np.ndarray:
    """Draws a phantom.

    Returns:
        uint8 (SIDE, SIDE, 3); the same seed gives the same picture.
    """
    page = PHANTOMS[modality].draw(np.random.default_rng(seed), organ)
    return (np.clip(page, 0, 1) * 255 + 0.5).astype(np.uint8)
