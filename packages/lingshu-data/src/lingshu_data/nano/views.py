"""Views of a picture source: cut, turned, shaded, and with a finding drawn in where planned."""

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image as Pillow

from lingshu_core.modality import Modality
from lingshu_data.nano import wheels
from lingshu_data.nano.canvas import SIDE
from lingshu_data.nano.phantoms import PHANTOMS, draw

Plant = Literal["exact copy", "re-encoded copy", "too small", "short caption", "leak", "near leak"]

SIZES = (96, 104, 112, 112, 112, 120, 128)
"""Sides in pixels; 112 most often."""
_SMALL = (40, 60)


@dataclass(frozen=True)
class View:
    """What one picture of the collection is to show."""

    number: int
    modality: Modality
    organ: str | None
    wheel: int | None
    """Place in `WHEELS`; None for a phantom."""
    seed: int
    """Of the phantom; of a wheel, which slice."""
    split: Literal["train", "test"]
    place: tuple[int, int] | None
    """Column and row (0 or 1) of the quarter with the finding; None where there is none."""
    planted: Plant | None = None
    of: int | None = None
    """Number of the view that this one was planted as a copy of."""

    @property
    def group(self) -> str:
        """The picture source: one file, or one phantom."""
        if self.wheel is not None:
            return f"wheel {wheels.WHEELS[self.wheel].name}"
        return f"phantom {self.modality} {self.seed}"


@dataclass(frozen=True)
class Drawn:
    """A view as a picture."""

    picture: Pillow.Image
    box: tuple[int, int, int, int] | None
    """Around the finding: x, y, width, height in pixels."""


def render(view: View, seed: int) -> Drawn:
    """Draws a view; the same view and seed give the same pixels."""
    random = np.random.default_rng((seed, view.number))
    page = Pillow.fromarray(_origin(view))
    side = int(random.choice(SIZES))
    if view.planted == "too small":
        side = int(random.integers(*_SMALL))
    cut = _shade(_turn(page, random, side), random, colour=PHANTOMS[view.modality].colour)
    if view.place is None:
        return Drawn(Pillow.fromarray(cut), None)
    box = _mark(cut, view, random)
    return Drawn(Pillow.fromarray(cut), box)


def near_copy(picture: Pillow.Image) -> Pillow.Image:
    """Returns a picture that a person would call the same: a little larger and compressed."""
    wider = picture.resize((picture.width + 8, picture.height + 8), Pillow.Resampling.BICUBIC)
    buffer = io.BytesIO()
    wider.save(buffer, format="JPEG", quality=90)
    return Pillow.open(buffer)


def _origin(view: View) -> np.ndarray:
    if view.wheel is not None:
        return wheels.load(wheels.WHEELS[view.wheel], view.seed)
    assert view.organ is not None
    return draw(view.modality, view.organ, view.seed)


def _turn(page: Pillow.Image, random: np.random.Generator, side: int) -> Pillow.Image:
    """Cuts a turned and stretched window out of a canvas, scaled to a side in pixels."""
    angle = np.deg2rad(random.uniform(-10, 10))
    wide, high = random.uniform(0.82, 1.05, 2) * SIDE / side
    cos, sin = np.cos(angle), np.sin(angle)
    middle_x, middle_y = SIDE / 2 + random.uniform(-0.05, 0.05, 2) * SIDE
    across, down = (cos * wide, -sin * high), (sin * wide, cos * high)
    start_x = middle_x - (across[0] + across[1]) * side / 2
    start_y = middle_y - (down[0] + down[1]) * side / 2
    return page.transform(
        (side, side),
        Pillow.Transform.AFFINE,
        (*across, start_x, *down, start_y),
        Pillow.Resampling.BICUBIC,
    )


def _shade(page: Pillow.Image, random: np.random.Generator, *, colour: bool) -> np.ndarray:
    values = np.asarray(page.convert("RGB"), np.float32)
    if not colour:
        values[:] = values.mean(axis=2, keepdims=True)
    values = values * random.uniform(0.85, 1.15) + random.uniform(-8, 8)
    noise = random.normal(0, 4, (*values.shape[:2], 1))
    return np.clip(values + noise, 0, 255).astype(np.uint8)


def _mark(cut: np.ndarray, view: View, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Draws the finding of a modality: a disc of its colour, set off by a ring."""
    assert view.place is not None
    side = cut.shape[0]
    radius = random.uniform(0.14, 0.17) * side
    x, y = ((0.5 + (2 * place - 1) * random.uniform(0.20, 0.25)) * side for place in view.place)
    rows, columns = np.mgrid[0:side, 0:side] + 0.5
    distance = np.hypot(columns - x, rows - y)
    phantom = PHANTOMS[view.modality]
    colour = np.asarray(phantom.mark) * 255
    around = np.zeros(3) if colour.mean() > 128 else np.full(3, 255.0)
    ring = np.clip(radius + 2.5 - distance, 0, 1)[..., None]
    disc = np.clip(radius - distance, 0, 1)[..., None]
    marked = cut + 0.75 * ring * (around - cut)
    marked = marked + disc * (colour - marked)
    cut[:] = np.clip(marked, 0, 255).astype(np.uint8)
    left, upper = int(x - radius), int(y - radius)
    return left, upper, int(x + radius) + 1 - left, int(y + radius) + 1 - upper
