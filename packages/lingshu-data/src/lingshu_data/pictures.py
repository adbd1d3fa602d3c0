"""Pictures as files: what their header says, their pixels, and how they are stored.

Nothing is decoded before its header has been read and its size found bearable.
"""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from lingshu_core.errors import DataError

MOST_PIXELS = 1 << 28
"""A picture that claims more pixels than this (16,384 squared) is taken for a bomb."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000")
_KEPT = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}
"""What every browser, trainer and engine reads; the rest is stored as PNG."""
_EIGHT_BIT = {"1", "L", "LA", "P", "PA", "RGB", "RGBA"}

# Our own limit is checked before decoding; Pillow's would warn first and raise at twice of it.
Pillow.MAX_IMAGE_PIXELS = None


class Unreadable(DataError):
    """A picture that cannot be used; `reason` is one word for the ledger."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Stored:
    """A picture as it goes into a manifest."""

    data: bytes
    suffix: str
    width: int
    height: int


def open_header(source: Path | bytes) -> Pillow.Image:
    """Opens a picture without decoding it.

    Raises:
        Unreadable: `unreadable` where it is no picture of a known format, `bomb` where it claims
            more than `MOST_PIXELS`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Pillow.open(
                io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS
            )
    except UnidentifiedImageError:
        raise Unreadable("unreadable", "the picture is in no known format, or cut off") from None
    except Exception as error:
        # Pillow's parsers raise whatever the damage leads to: OSError, SyntaxError, struct.error.
        raise Unreadable("unreadable", f"the picture cannot be opened: {error}") from None
    if image.width * image.height > MOST_PIXELS:
        size = f"{image.width} x {image.height}"
        image.close()
        raise Unreadable("bomb", f"the picture claims {size} pixels")
    return image


def decode(image: Pillow.Image) -> Pillow.Image:
    """Decodes an opened picture, 16 bits scaled to 8; Unreadable where it is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.load()
            return eight_bit(image)
    except Exception as error:
        image.close()
        raise Unreadable("unreadable", f"the picture is damaged: {error}") from None


def eight_bit(image: Pillow.Image) -> Pillow.Image:
    """Returns a picture with 8 bits a channel.

    Deeper pictures are stretched from their least to their greatest value, since Pillow's own
    conversion cuts everything above 255 off and different pictures become the same white.
    """
    if image.mode in _EIGHT_BIT:
        return image
    if image.mode.startswith(("I", "F")):
        return Pillow.fromarray(stretch(np.asarray(image)))
    return image.convert("RGB")


def stretch(values: np.ndarray, low: float | None = None, high: float | None = None) -> np.ndarray:
    """Maps values linearly to 0 to 255, cutting off what lies outside.

    Args:
        values: Any shape and number type; what is not finite becomes the least.
        low: What becomes 0; the least value where None.
        high: What becomes 255; the greatest value where None.

    Returns:
        uint8 of the same shape; all 0 where there is no range.
    """
    wide = np.nan_to_num(values.astype(np.float64), nan=np.nan, posinf=np.nan, neginf=np.nan)
    if np.isnan(wide).any():
        finite = wide[~np.isnan(wide)]
        wide = np.nan_to_num(wide, nan=float(finite.min()) if finite.size else 0.0)
    low = float(wide.min()) if low is None else low
    high = float(wide.max()) if high is None else high
    if high <= low:
        return np.zeros(values.shape, np.uint8)
    return (np.clip((wide - low) / (high - low), 0, 1) * 255 + 0.5).astype(np.uint8)


def to_store(data: bytes) -> Stored:
    """Returns a picture file as it is kept: its own bytes where everything reads them, else PNG.

    Raises:
        Unreadable: It cannot be opened, or not decoded where it has to be.
    """
    image = open_header(data)
    kept = _KEPT.get(image.format or "")
    if kept and image.mode in _EIGHT_BIT and getattr(image, "n_frames", 1) == 1:
        return Stored(data, kept, image.width, image.height)
    return encode(decode(image))


def encode(image: Pillow.Image, compress_level: int = 6) -> Stored:
    """Returns a picture as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=compress_level)
    return Stored(buffer.getvalue(), ".png", image.width, image.height)
