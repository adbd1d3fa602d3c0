"""From a picture's file to the patches that the vision encoder takes.

The result equals, bit for bit, what transformers' Pillow processor gives. Rescaling and
normalising are a table of 256 entries a colour channel, and the patches are put in order while
they still are bytes, which is what makes it faster.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from lingshu_core.errors import DataError
from lingshu_core.records import Image

_RECENT = 64 * 2**20
"""Bytes of pictures that a reader keeps: of a small collection each is decoded once."""
BROKEN = (OSError, ValueError, SyntaxError, DataError)
"""What reading a damaged picture raises; Pillow's PNG reader raises SyntaxError."""


@dataclass(frozen=True)
class Grid:
    """How many patches a picture has; two by two of them become one token."""

    height: int
    width: int

    @property
    def patches(self) -> int:
        """How many rows of pixel values the encoder gets."""
        return self.height * self.width

    def tokens(self, merge: int) -> int:
        """How many tokens the language model gets."""
        return self.patches // merge**2


@dataclass(frozen=True)
class Picture:
    """A decoded picture, whose patches are made where they are wanted: once, in a row."""

    reader: "PictureReader"
    pixels: NDArray[np.uint8]
    """`(height, width, 3)`, resized."""
    grid: Grid

    def write(self, out: NDArray[np.float32]) -> None:
        """Writes its patches into `(grid.patches, columns)`, which lies in one piece."""
        self.reader.patches(self.pixels, self.grid, out)


class PictureReader:
    """Reads pictures for one image processor.

    Args:
        processor: An image processor of Qwen2-VL's family, as `AutoImageProcessor` loads it; its
            bounds on the size of a picture are kept to.
    """

    def __init__(self, processor: Any) -> None:
        self.patch: int = processor.patch_size
        self.merge: int = processor.merge_size
        self.temporal: int = processor.temporal_patch_size
        self.min_pixels: int = processor.size["shortest_edge"]
        self.max_pixels: int = processor.size["longest_edge"]
        self._resample = int(processor.resample)
        self._table = _normalised(processor)
        self._recent: LRUCache[tuple[object, ...], NDArray[np.uint8]] = LRUCache(_RECENT, _bytes)

    def identity(self) -> dict[str, object]:
        """Returns what decides the patches, for hashes."""
        return {
            "patch": [self.patch, self.merge, self.temporal],
            "pixels": [self.min_pixels, self.max_pixels],
            "resample": self._resample,
            "table": self._table.tobytes().hex(),
        }

    def grid(self, width: int, height: int) -> Grid:
        """Returns the grid of a picture of a size in pixels; ValueError for a sliver (1:200)."""
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

        factor = self.patch * self.merge
        tall, wide = smart_resize(
            height, width, factor, min_pixels=self.min_pixels, max_pixels=self.max_pixels
        )
        return Grid(tall // self.patch, wide // self.patch)

    @property
    def columns(self) -> int:
        """How many numbers a patch has."""
        return 3 * self.temporal * self.patch**2

    def read(self, path: Path, image: Image) -> tuple[NDArray[np.float32], Grid]:
        """Decodes a picture, as `open`.

        Returns:
            Patches `(grid.patches, columns)` in the order of the encoder, and their grid.
        """
        picture = self.open(path, image)
        values = np.empty((picture.grid.patches, self.columns), dtype=np.float32)
        picture.write(values)
        return values, picture.grid

    def open(self, path: Path, image: Image) -> Picture:
        """Decodes a picture.

        Raises:
            OSError, ValueError, SyntaxError: The file cannot be decoded.
            DataError: The picture is not of the size that the record says.
        """
        grid = self.grid(image.width, image.height)
        key = (path, image.frame, image.width, image.height)
        pixels = self._recent.get(key)
        if pixels is None:
            pixels = self._decode(path, image, grid)
            if _bytes(pixels) <= self._recent.maxsize:
                self._recent[key] = pixels
        return Picture(self, pixels, grid)

    def _decode(self, path: Path, image: Image, grid: Grid) -> NDArray[np.uint8]:
        from PIL import Image as Pillow

        with Pillow.open(path) as picture:
            if image.frame and getattr(picture, "n_frames", 1) > image.frame:
                picture.seek(image.frame)
            if picture.size != (image.width, image.height):
                said = f"{image.width}x{image.height}"
                raise DataError(f"is {picture.width}x{picture.height} where the record says {said}")
            size = (grid.width * self.patch, grid.height * self.patch)
            # As the processor does: into three channels first, then to the new size.
            colour = picture.convert("RGB")
            return np.asarray(colour.resize(size, self._resample))

    def patches(self, pixels: NDArray[np.uint8], grid: Grid, out: NDArray[np.float32]) -> None:
        """Writes the normalised patches of `pixels` `(height, width, 3)`, already resized."""
        p, m = self.patch, self.merge
        blocks = pixels.reshape(grid.height // m, m, p, grid.width // m, m, p, 3)
        ordered = blocks.transpose(6, 0, 3, 1, 4, 2, 5).reshape(3, grid.patches, p * p)
        values = out.reshape(grid.patches, 3, self.temporal, p * p)
        for channel in range(3):
            # A still picture fills every one of the encoder's frames.
            values[:, channel] = self._table[channel][ordered[channel]][:, None]


def _bytes(pixels: NDArray[np.uint8]) -> int:
    return pixels.nbytes


def _normalised(processor: Any) -> NDArray[np.float32]:
    """Returns what each of the 256 values becomes in each channel, `(3, 256)`.

    Asked of transformers itself, so that rounding is the processor's own.
    """
    from transformers.image_transforms import normalize, rescale
    from transformers.image_utils import ChannelDimension

    first = ChannelDimension.FIRST
    levels = np.broadcast_to(np.arange(256, dtype=np.uint8), (3, 1, 256))
    scaled = rescale(levels, processor.rescale_factor, first, input_data_format=first)
    mean, std = processor.image_mean, processor.image_std
    table = normalize(scaled, mean, std, first, input_data_format=first)
    return np.ascontiguousarray(table[:, 0], dtype=np.float32)
