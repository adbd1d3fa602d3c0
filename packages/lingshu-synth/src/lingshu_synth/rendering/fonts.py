"""Fonts that come with packages: families for Latin text, Chinese ones where they are installed."""

import importlib
import importlib.util
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from PIL import ImageFont

from lingshu_core.errors import SettingsError

_LATIN = {
    "sans": ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    "serif": ("DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf"),
    "mono": ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"),
    "times": ("STIXGeneral.ttf", "STIXGeneralBol.ttf"),
}
_CHINESE = {
    "song": "NotoSerifCJKsc-Regular.otf",
    "hei": "NotoSansCJKsc-Regular.otf",
    "source-song": "SourceHanSerifSC-Regular.otf",
    "deng-kuan": "NotoSansMonoCJKsc-Regular.otf",
}
_LAST = "DejaVuSans.ttf"
"""Has the arrows and signs that other families lack."""


@dataclass(frozen=True)
class Face:
    """A font for each kind of character: the family's own, then those that fill its gaps."""

    paths: tuple[Path, ...]

    def font(self, character: str, size: int) -> ImageFont.FreeTypeFont:
        """Returns the first font that has a character; the family's own where none has it."""
        code = ord(character)
        for path in self.paths:
            if code in _coverage(path):
                return _font(path, size)
        return _font(self.paths[0], size)

    def first(self, size: int) -> ImageFont.FreeTypeFont:
        """Returns the family's own font."""
        return _font(self.paths[0], size)

    def has(self, character: str) -> bool:
        """Says whether any of the fonts has a character."""
        return any(ord(character) in _coverage(path) for path in self.paths)


def families(language: str) -> list[str]:
    """Returns the names of the families for a language, `en` or `zh`."""
    return list(_CHINESE if language == "zh" else _LATIN)


@cache
def face(family: str, *, bold: bool = False) -> Face:
    """Returns the fonts of a family.

    Raises:
        SettingsError: A Chinese family is asked for, and the package that brings it is missing.
    """
    latin = _folder("matplotlib", "mpl-data/fonts/ttf")
    if family in _LATIN:
        paths = [latin / _LATIN[family][bold], latin / _LAST]
        return Face((*paths, *_chinese_if_there()))
    chinese = _folder("mplfonts", "fonts")
    return Face((chinese / _CHINESE[family], latin / _LAST))


def _chinese_if_there() -> tuple[Path, ...]:
    if importlib.util.find_spec("mplfonts") is None:
        return ()
    return (_folder("mplfonts", "fonts") / _CHINESE["hei"],)


def _folder(package: str, below: str) -> Path:
    # Found without importing it: only its files are wanted.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(
            f"Chinese pages need the fonts of {package}: pip install 'lingshu-synth[zh]'"
        )
    return Path(spec.submodule_search_locations[0]) / below


@lru_cache(maxsize=64)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


@cache
def _coverage(path: Path) -> frozenset[int]:
    ttlib: Any = importlib.import_module("fontTools.ttLib")  # it has no annotations
    with ttlib.TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap() or ())
