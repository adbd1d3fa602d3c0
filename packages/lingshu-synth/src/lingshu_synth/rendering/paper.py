"""The page: question and options on paper, with the looks of a print, a scan or a photograph."""

import math
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from lingshu_synth.generator import Page
from lingshu_synth.rendering.fonts import face, families
from lingshu_synth.rendering.layout import Typesetter, Word

_PAPERS = ((255, 255, 255), (252, 250, 244), (246, 240, 226), (240, 244, 248), (232, 232, 228))
_INKS = ((0, 0, 0), (24, 24, 28), (16, 22, 64), (52, 46, 42))


@dataclass(frozen=True)
class _Block:
    """Lines that stand below each other, and how far they are moved to the right."""

    lines: list[list[Word]]
    indent: float = 0.0


def draw_page(page: Page) -> Image.Image:
    """Returns an exam question as a picture; the same page gives the same picture."""
    random = Random(page.seed)
    style = page.style
    size = random.randint(*style.size)
    width = max(random.randint(*style.width), 12 * size)
    paper, ink = random.choice(_PAPERS), random.choice(_INKS)
    family = random.choice(families(page.language))
    setter = Typesetter(
        face(family, bold=random.random() < 0.1), size, ink, random.uniform(1.3, 1.7)
    )
    margin = random.randint(size, 3 * size)
    blocks = _blocks(page, setter, width - 2 * margin, random)
    image = _printed(blocks, setter, (width, margin, size), paper)
    return _worn(image, page, paper, random)


def _blocks(page: Page, setter: Typesetter, room: float, random: Random) -> list[_Block]:
    number = f"{random.randint(1, 60)}. " if random.random() < 0.6 else ""
    blocks = [_Block(setter.lines(number + page.text, room))]
    if not page.options:
        return blocks
    indent = random.choice((0.0, 0.04, 0.08)) * room
    apart = "    "
    row = apart.join(page.options)
    if len(setter.lines(row, room - indent)) == 1 and random.random() < 0.7:
        return [*blocks, _Block(setter.lines(row, room - indent), indent)]
    return [*blocks, *(_Block(setter.lines(o, room - indent), indent) for o in page.options)]


def _printed(
    blocks: list[_Block],
    setter: Typesetter,
    sizes: tuple[int, int, int],
    paper: tuple[int, int, int],
) -> Image.Image:
    """Returns the type on plain paper; `sizes` are width, margin and height of the letters."""
    width, margin, size = sizes
    gap = 0.5 * size
    tall = sum(setter.height(line) for block in blocks for line in block.lines)
    widest = max(
        block.indent + sum(word.width + word.space for word in line)
        for block in blocks
        for line in block.lines
    )
    height = math.ceil(tall + gap * (len(blocks) - 1) + 2 * margin)
    image = Image.new("RGB", (max(width, math.ceil(widest + 2 * margin)), height), paper)
    y = float(margin)
    for block in blocks:
        for line in block.lines:
            setter.draw(image, line, margin + block.indent, y)
            y += setter.height(line)
        y += gap
    return image


def _worn(
    image: Image.Image, page: Page, paper: tuple[int, int, int], random: Random
) -> Image.Image:
    """Returns the page as a scanner or a camera gives it: turned, blurred, shaded, grainy."""
    style = page.style
    turn = random.uniform(-style.rotation, style.rotation)
    if abs(turn) > 0.2:
        image = image.rotate(turn, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=paper)
    blur = random.uniform(0.0, style.blur)
    if blur > 0.2:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    values = np.asarray(image).astype(np.float32)
    values *= _shade(values.shape[0], values.shape[1], random)[..., None]
    grain = np.random.default_rng(random.getrandbits(64))
    noise = grain.normal(0.0, random.uniform(0.0, style.noise), values.shape[:2])
    values += noise[..., None].astype(np.float32)
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _shade(height: int, width: int, random: Random) -> NDArray[np.float32]:
    """Returns how bright each pixel is lit, `[y, x]` in 0.8 to 1: an even slope across the page."""
    depth, angle = random.uniform(0.0, 0.18), random.uniform(0.0, 2 * math.pi)
    y, x = np.mgrid[0.0 : 1.0 : height * 1j, 0.0 : 1.0 : width * 1j]
    slope = (x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle)
    return np.asarray(1.0 - depth * (slope + 0.5) / 1.5, dtype=np.float32)
