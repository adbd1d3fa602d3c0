"""NIfTI and NRRD volumes with label volumes beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_data.reader import Entry, Reader, Row, matching
from lingshu_data.readers.folders import path_pattern

_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mgz")


@dataclass(frozen=True)
class VolumeFiles(Reader):
    """Volumes and masks; a row has `path`, `masks` (paths) and what the path says."""

    pattern: str
    """A volume's path below the root with names in braces: `{case}/{case}_t1.nii.gz`."""
    masks: tuple[str, ...] = ()
    """Its masks, with the same names filled in; one may have a `*`."""
    look_for: str = "**/*"

    @property
    def batch(self) -> int:
        """Volumes take seconds each."""
        return 4

    @property
    def needs(self) -> tuple[str, ...]:
        """Some file."""
        return (self.look_for,)

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the volumes with the masks that are there."""
        wanted = path_pattern(self.pattern)
        for path in matching(root, self.look_for):
            name = path.relative_to(root).as_posix()
            found = wanted.fullmatch(name)
            if not found or not name.endswith(_SUFFIXES):
                continue
            there = []
            for template in self.masks:
                filled = template.format(**found.groupdict())
                there += sorted(mask for mask in root.glob(filled) if mask.is_file())
            if path in there:
                continue
            masks = [mask.relative_to(root).as_posix() for mask in there]
            yield Row({**found.groupdict(), "path": name, "masks": masks}, name)


class AllVolumes(Reader):
    """Every volume below a folder; a row has its `path` and no masks."""

    @property
    def batch(self) -> int:
        """Volumes take seconds each."""
        return 4

    @property
    def needs(self) -> tuple[str, ...]:
        """Some file."""
        return ("**/*",)

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the volumes."""
        for path in matching(root, "**/*"):
            if path.name.endswith(_SUFFIXES):
                name = path.relative_to(root).as_posix()
                yield Row({"path": name, "masks": []}, name)


READER = VolumeFiles
