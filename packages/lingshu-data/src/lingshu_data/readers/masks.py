"""Pictures with mask pictures beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_data.reader import Entry, Reader, Row, matching
from lingshu_data.readers.folders import PICTURES, path_pattern


@dataclass(frozen=True)
class MaskPictures(Reader):
    """Pictures and masks; a row has `path`, `masks` (paths) and what the path says."""

    pattern: str
    """A picture's path below the root with names in braces: `{split}/images/{name}.png`."""
    masks: tuple[str, ...]
    """Its masks, with the same names filled in; one may have a `*`."""
    look_for: str = "**/*"

    @property
    def needs(self) -> tuple[str, ...]:
        """Some file."""
        return (self.look_for,)

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the pictures with the masks that are there."""
        wanted = path_pattern(self.pattern)
        for path in matching(root, self.look_for):
            name = path.relative_to(root).as_posix()
            found = wanted.fullmatch(name)
            if not found or path.suffix.lower() not in PICTURES:
                continue
            masks = []
            for template in self.masks:
                filled = template.format(**found.groupdict())
                masks += sorted(root.glob(filled)) if "*" in filled else [root / filled]
            there = [mask.relative_to(root).as_posix() for mask in masks if mask.is_file()]
            yield Row({**found.groupdict(), "path": name, "masks": there}, name)


READER = MaskPictures
