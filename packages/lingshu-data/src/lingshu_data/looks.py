"""What the operators ask of a record's pictures, each answered once from the file."""

from collections import OrderedDict
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from lingshu_core.manifest import Manifest
from lingshu_core.records import Image, RecordBase
from lingshu_data.hashing import Hashed, grey, hashed
from lingshu_data.pictures import Unreadable, decode, open_header

_REMEMBERED = 4
"""Pictures remembered: the records of one picture mostly follow each other."""


class Look:
    """One picture, read as far as it is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _opened(self) -> Pillow.Image:
        # The bytes are read once for both: nearly every picture whose size is asked is decoded.
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise Unreadable("unreadable", f"cannot be read: {error.strerror}") from None
        return open_header(data)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height from the header; Unreadable where there is none to read."""
        return self._opened.size

    @cached_property
    def pixels(self) -> Pillow.Image:
        """The decoded picture, 8 bits a channel; Unreadable where it is damaged."""
        return decode(self._opened)

    @cached_property
    def grey(self) -> np.ndarray:
        """The grey levels, uint8 (h, w); Unreadable where the picture is damaged."""
        return grey(self.pixels)

    @cached_property
    def hashed(self) -> Hashed:
        """The perceptual hash of 64 bits."""
        return hashed(self.grey)

    @cached_property
    def hashed_finely(self) -> Hashed:
        """The perceptual hash of 256 bits."""
        return hashed(self.grey, 16)

    def is_blank(self, tolerance: int) -> bool:
        """Says whether all grey levels lie within so many of each other."""
        return int(self.grey.max()) - int(self.grey.min()) <= tolerance


class Looks:
    """The pictures of a manifest's records."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._seen: OrderedDict[str, Look] = OrderedDict()

    def of(self, record: RecordBase) -> list[Look]:
        """Returns the pictures of a record; DataError where one is not there."""
        return [self._look(image) for image in record.images]

    def _look(self, image: Image) -> Look:
        found = self._seen.get(image.path)
        if found is None:
            found = Look(self._manifest.file(image))
            self._seen[image.path] = found
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return found
