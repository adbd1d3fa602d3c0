"""Runs set as lines of type: measured, broken, drawn on a common baseline."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont

from lingshu_synth.rendering.fonts import Face
from lingshu_synth.rendering.notation import Run, parse

_SMALL = 0.68
_RAISED = 0.38
_LOWERED = 0.16
_PART = re.compile(
    r"\s+|[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+"
)
_NOT_FIRST = set("，。、；：？！）】》”’,.;:?!)]}%°")  # noqa: RUF001


@dataclass
class Glyphs:
    """Something that stands on the baseline: letters, or a formula as a picture."""

    width: float
    ascent: float
    descent: float
    draw: Callable[[Image.Image, float, float], None]
    """Draws it with its left end at x and its baseline at y."""


@dataclass
class Word:
    """What is not broken: its pieces, and the space before it."""

    pieces: list[Glyphs] = field(default_factory=list)
    space: float = 0.0
    text: str = ""

    @property
    def width(self) -> float:
        """In pixels, without the space before it."""
        return sum(piece.width for piece in self.pieces)


class Typesetter:
    """Sets text of one size and colour.

    Args:
        face: The fonts.
        size: Height of the letters in pixels.
        ink: Colour.
        leading: Distance of the lines, in sizes.
    """

    def __init__(
        self, face: Face, size: int, ink: tuple[int, int, int], leading: float = 1.45
    ) -> None:
        self._face = face
        self._size = size
        self._ink = ink
        self._leading = leading
        self._gap = face.first(size).getlength(" ")

    def lines(self, text: str, width: float) -> list[list[Word]]:
        """Returns a text broken into lines no wider than `width`; a longer word has its own."""
        lines: list[list[Word]] = []
        for paragraph in text.split("\n"):
            lines += self._broken(list(self._words(parse(paragraph))), width)
        return lines

    def height(self, line: list[Word]) -> float:
        """Returns how much room a line takes."""
        return self._above(line) + self._below(line)

    def draw(self, image: Image.Image, line: list[Word], x: float, y: float) -> None:
        """Draws a line with its upper left corner at x, y."""
        baseline = y + self._above(line)
        for number, word in enumerate(line):
            x += word.space if number else 0.0
            for piece in word.pieces:
                piece.draw(image, x, baseline)
                x += piece.width

    def _above(self, line: list[Word]) -> float:
        tallest = max((p.ascent for word in line for p in word.pieces), default=0.0)
        return max(tallest + 0.2 * self._size, 0.72 * self._leading * self._size)

    def _below(self, line: list[Word]) -> float:
        deepest = max((p.descent for word in line for p in word.pieces), default=0.0)
        return max(deepest + 0.1 * self._size, 0.28 * self._leading * self._size)

    def _broken(self, words: list[Word], width: float) -> list[list[Word]]:
        lines: list[list[Word]] = [[]]
        used = 0.0
        for word in words:
            needed = word.width + (word.space if lines[-1] else 0.0)
            if lines[-1] and used + needed > width:
                lines.append([])
                used, needed = 0.0, word.width
            lines[-1].append(word)
            used += needed
        return lines

    def _words(self, runs: list[Run]) -> Iterator[Word]:
        """Yields words; Chinese characters are words of their own, but for what may not begin a
        line."""
        word = Word()
        for run in runs:
            if run.style == "math":
                word.pieces.append(self._math(run.text))
                word.text += run.text
                continue
            for part in _parts(run.text):
                if part.isspace():
                    if word.pieces:
                        yield word
                    word = Word(space=self._gap * len(part))
                    continue
                if word.pieces and _breaks_before(part, word.text):
                    yield word
                    word = Word()
                word.pieces.append(self._letters(part, run.style))
                word.text += part
        if word.pieces:
            yield word

    def _letters(self, text: str, style: str) -> Glyphs:
        small = style in {"sub", "sup"}
        size = round(self._size * _SMALL) if small else self._size
        shift = {"sup": -_RAISED, "sub": _LOWERED}.get(style, 0.0) * self._size
        segments = _by_font(text, self._face, size)
        ascent, descent = self._face.first(size).getmetrics()

        def draw(image: Image.Image, x: float, y: float) -> None:
            pen = ImageDraw.Draw(image)
            for font, letters in segments:
                pen.text((x, y + shift), letters, fill=self._ink, font=font, anchor="ls")
                x += font.getlength(letters)

        width = sum(font.getlength(letters) for font, letters in segments)
        return Glyphs(width, ascent - shift, descent + shift, draw)

    def _math(self, latex: str) -> Glyphs:
        formula = math_picture(latex, self._size)
        if formula is None:
            return self._letters(latex, "text")
        mask, depth = formula

        def draw(image: Image.Image, x: float, y: float) -> None:
            place = (round(x), round(y + depth - mask.height))
            image.paste(Image.new("RGB", mask.size, self._ink), place, mask)

        return Glyphs(mask.width + 2, mask.height - depth, depth, draw)


def math_picture(latex: str, size: int) -> tuple[Image.Image, float] | None:
    """Returns a formula as a mask and how far it reaches below the baseline, in pixels.

    None where the formula is of a kind that cannot be set.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser

    parser = MathTextParser("agg")
    try:
        # 72 dots an inch make a point a pixel.
        set_ = parser.parse(f"${latex}$", dpi=72, prop=FontProperties(size=size))
    except (ValueError, RuntimeError):
        return None
    return Image.fromarray(set_.image), float(set_.depth)


def _parts(text: str) -> list[str]:
    return _PART.findall(text)


def _breaks_before(part: str, before: str) -> bool:
    if part[0] in _NOT_FIRST:
        return False
    return _is_wide(part[0]) or _is_wide(before[-1:])


def _is_wide(character: str) -> bool:
    return bool(character) and unicodedata.east_asian_width(character) in "WF"


def _by_font(text: str, face: Face, size: int) -> list[tuple[ImageFont.FreeTypeFont, str]]:
    segments: list[tuple[ImageFont.FreeTypeFont, str]] = []
    for character in text:
        font = face.font(character, size)
        if segments and segments[-1][0] is font:
            segments[-1] = (font, segments[-1][1] + character)
        else:
            segments.append((font, character))
    return segments
