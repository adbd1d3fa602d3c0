"""Pictures whose folders say what they show: `train/pneumonia/0001.jpg`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_data.reader import Entry, Reader, Row, matching

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif"}


@dataclass(frozen=True)
class ClassFolders(Reader):
    """Pictures in folders; a row has `path`, `name` and what the folders say.

    Pictures whose path does not follow the pattern are passed over: publishers put other things
    beside (masks, examples, thumbnails).
    """

    pattern: str
    """A path below the root with names for its changing parts: `{split}/{label}/{name}`."""
    look_for: str = "**/*"
    """Which files are looked at."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Some file."""
        return (self.look_for,)

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the pictures."""
        wanted = path_pattern(self.pattern)
        for path in matching(root, self.look_for):
            name = path.relative_to(root).as_posix()
            found = wanted.fullmatch(name)
            if found and path.suffix.lower() in PICTURES:
                yield Row({**found.groupdict(), "path": name}, name)


class AllPictures(Reader):
    """Every picture below a folder; a row has its `path`."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Some file."""
        return ("**/*",)

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the pictures."""
        for path in matching(root, "**/*"):
            if path.suffix.lower() in PICTURES:
                name = path.relative_to(root).as_posix()
                yield Row({"path": name}, name)


def path_pattern(pattern: str) -> re.Pattern[str]:
    """Returns a path with names in braces as an expression.

    A name stands for a path part or a piece of one; where it comes again, for the same text.
    `{name:d}` stands for digits alone.
    """
    text, seen = "", set()
    for fixed, name, digits in re.findall(r"([^{]*)(?:\{(\w+)(:d)?\}|$)", pattern):
        text += re.escape(fixed)
        if name in seen:
            text += f"(?P={name})"
        elif name:
            text += f"(?P<{name}>{r'[0-9]+' if digits else '[^/]+?'})"
            seen.add(name)
    return re.compile(text)


READER = ClassFolders
