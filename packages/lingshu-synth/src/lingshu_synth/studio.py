"""Pictures as they are sent and as they are written: read, marked, scaled, encoded once each.

Originals are only ever read. What is sent holds pixels alone: no EXIF, comment, profile or text of
the file it came from.
"""

import base64
import io
import threading
from pathlib import Path

from PIL import Image, ImageOps

from lingshu_core.digest import digest
from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_synth.call import Shot
from lingshu_synth.overlay import draw_boxes
from lingshu_synth.settings import PicturePolicy

_LOCKS = 64


class Studio:
    """Draws shots; what was encoded is kept in a folder, so that it is done once.

    Args:
        folder: Where encoded pictures lie until the run is over.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def data_url(self, shot: Shot, manifest: Manifest, policy: PicturePolicy) -> str:
        """Returns a picture as it is sent.

        Raises:
            DataError: Its file is missing or cannot be read.
        """
        path = manifest.file(shot.file)
        data = base64.b64encode(self._encoded(shot, path, policy)).decode()
        return f"data:image/{policy.format};base64,{data}"

    def _encoded(self, shot: Shot, source: Path, policy: PicturePolicy) -> bytes:
        name = digest({"shot": shot.describe(), "policy": policy})
        path = self._folder / name[:2] / name
        # Two calls may want the same picture at the same time: the second waits for the first.
        with self._locks[int(name[:8], 16) % _LOCKS]:
            if path.is_file():
                return path.read_bytes()
            data = encode(draw(shot, source), policy)
            path.parent.mkdir(parents=True, exist_ok=True)
            side = path.with_name(f".{name}.tmp")
            side.write_bytes(data)
            side.replace(path)
            return data


def draw(shot: Shot, source: Path) -> Image.Image:
    """Returns a shot as a picture of 8 bits, grey or RGB, with its boxes.

    Args:
        shot: What is to be seen.
        source: Where the file of the picture or volume is.

    Raises:
        DataError: The file cannot be read.
    """
    image = read_picture(source) if shot.slice is None else _slice(shot, source)
    return draw_boxes(image, shot.boxes) if shot.boxes else image


def read_picture(path: Path) -> Image.Image:
    """Returns a picture in 8 bits, grey or RGB, the way up that its file says, pixels alone.

    Raises:
        DataError: It cannot be read, or has far too many pixels.
    """
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file) or file
            return _bare(_eight_bits(image))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"cannot be read as a picture ({error})", path=path) from None


def encode(image: Image.Image, policy: PicturePolicy) -> bytes:
    """Returns a picture scaled and encoded by the policy."""
    if max(image.size) > policy.longest:
        image = image.copy()
        image.thumbnail((policy.longest, policy.longest), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if policy.format == "jpeg":
        # Colour at full resolution: thin coloured lines would run otherwise.
        image.save(buffer, "JPEG", quality=policy.quality, subsampling=0)
    else:
        image.save(buffer, "PNG")
    return buffer.getvalue()


def png(image: Image.Image) -> bytes:
    """Returns a picture as a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode in {"I", "F", "I;16", "I;16B", "I;16L"}:
        return _narrowed(image)
    if image.mode in {"L", "RGB"}:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        full = image.convert("RGBA")
        ground = Image.new("RGBA", full.size, (0, 0, 0, 255))
        return Image.alpha_composite(ground, full).convert("RGB")
    return image.convert("RGB")


def _narrowed(image: Image.Image) -> Image.Image:
    """Returns a picture of more than 8 bits with its 1st to 99th percentile spread over 8."""
    import numpy as np

    values = np.asarray(image).astype(np.float64)
    low, high = np.percentile(values, (1, 99))
    scaled = np.clip((values - low) / max(high - low, 1e-9), 0, 1)
    return Image.fromarray(np.rint(scaled * 255).astype(np.uint8))


def _bare(image: Image.Image) -> Image.Image:
    return Image.frombytes(image.mode, image.size, image.tobytes())


def _slice(shot: Shot, path: Path) -> Image.Image:
    from lingshu_synth.volumes import load_volume, slice_bytes

    assert shot.slice is not None and shot.window is not None
    data, size = slice_bytes(load_volume(path), shot.slice, shot.window)
    image = Image.frombytes("L", size, data)
    return image.resize((shot.width, shot.height), Image.Resampling.BICUBIC)
