"""Pictures on their way to a model: decoded ahead of it, each file once, broken ones set aside."""

import base64
import hashlib
import io
from collections import OrderedDict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeVar

import imagesize

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.records import Image
from medevalkit.plainfiles import plain_type
from medevalkit.settings import PictureSettings

if TYPE_CHECKING:
    from PIL.Image import Image as Decoded

Form = Literal["none", "encoded", "decoded"]
T = TypeVar("T")


_REDUCIBLE = frozenset(["L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"])


class BrokenPictureError(Exception):
    """A picture cannot be shown to a model; the message says why.

    Args:
        message: Why.
        passing: The file may be put right: it is missing, unreadable, or not the record's.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Loaded:
    """A picture in the form that a backend asked for."""

    sha256: str
    decoded: "Decoded | None" = None
    """RGB, turned upright, at most `max_pixels` large."""
    data: bytes = b""
    """A whole JPEG or PNG file."""
    media_type: str = ""

    def data_url(self) -> str:
        """Returns the file as a `data:` URL."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"


class Pictures:
    """Loads the pictures of items in threads, ahead of whoever asks for them.

    Used as a context manager. What was loaded is kept, up to `cache_mb`, for other items that show
    the same picture; two items that want it at the same time wait for one load.
    """

    def __init__(self, settings: PictureSettings, form: Form) -> None:
        self._settings = settings
        self._form = form
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="pictures")
        self._kept: OrderedDict[str, tuple[Future[Loaded], int]] = OrderedDict()
        self._bytes = 0
        self.decoded = 0
        """How many files were loaded."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def load(self, image: Image, manifest: Manifest) -> Future[Loaded]:
        """Starts to load a picture of a manifest; BrokenPictureError comes out of the future."""
        key = image.sha256
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        self.decoded += 1
        future = self._pool.submit(self._load, image, manifest)
        shown = min(image.width * image.height, self._settings.max_pixels)
        self._kept[key] = (future, shown * 3)
        self._bytes += shown * 3
        while self._bytes > self._settings.cache_mb << 20 and len(self._kept) > 1:
            _, (_, size) = self._kept.popitem(last=False)
            self._bytes -= size
        return future

    def _load(self, image: Image, manifest: Manifest) -> Loaded:
        try:
            path = manifest.file(image)
            data = path.read_bytes()
        except DataError as error:
            raise BrokenPictureError(error.message, passing=True) from None
        except OSError as error:
            said = f"{image.path}: cannot be read ({error.strerror})"
            raise BrokenPictureError(said, passing=True) from None
        if hashlib.sha256(data).hexdigest() != image.sha256:
            said = f"{image.path}: was changed, its hash is not the record's"
            raise BrokenPictureError(said, passing=True)
        if self._form == "encoded":
            file, media_type = encoded(data, path, self._settings)
            return Loaded(image.sha256, data=file, media_type=media_type)
        return Loaded(image.sha256, decoded=decoded(data, path, self._settings))


def ahead(items: Iterator[T], depth: int) -> Iterator[T]:
    """Yields the items in order, drawing `depth` more than were asked for: loads start early."""
    waiting: deque[T] = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > depth:
            yield waiting.popleft()
    yield from waiting


def encoded(data: bytes, path: Path, settings: PictureSettings) -> tuple[bytes, str]:
    """Returns a picture as a JPEG or PNG file and its media type.

    A whole JPEG or PNG of acceptable size that readers agree about is passed on as it is, without
    decoding.
    """
    width, height = _size(data, path, settings)
    if 0 < width * height <= settings.max_pixels and (plain := plain_type(data)):
        return data, plain
    buffer = io.BytesIO()
    decoded(data, path, settings).save(buffer, "PNG")
    return buffer.getvalue(), "image/png"


def decoded(data: bytes, path: Path, settings: PictureSettings) -> "Decoded":
    """Returns a picture as RGB, upright, at most `max_pixels` large; of several frames the first.

    Samples of more than 8 bits are spread from the least to the greatest of the picture over 0 to
    255; what is transparent becomes white.

    Raises:
        BrokenPictureError: It is no picture, is cut, or is too large to be decoded.
    """
    from PIL import Image as Pillow
    from PIL import ImageOps, UnidentifiedImageError

    _size(data, path, settings)
    try:
        with Pillow.open(io.BytesIO(data)) as file:
            file.load()
            ImageOps.exif_transpose(file, in_place=True)
            rgb = _as_rgb(_reduced(file, settings.max_pixels))
    except UnidentifiedImageError:
        # Pillow's own words name an address in memory, other ones in every run.
        raise BrokenPictureError(f"{path.name}: cannot be decoded (is no picture)") from None
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError) as error:
        raise BrokenPictureError(f"{path.name}: cannot be decoded ({error})") from None
    pixels = rgb.width * rgb.height
    if pixels <= settings.max_pixels:
        return rgb
    scale = (settings.max_pixels / pixels) ** 0.5
    smaller = (max(1, int(rgb.width * scale)), max(1, int(rgb.height * scale)))
    return rgb.resize(smaller, Pillow.Resampling.BICUBIC)


def _size(data: bytes, path: Path, settings: PictureSettings) -> tuple[int, int]:
    """Returns width and height as the header says them; (-1, -1) where it does not say."""
    width, height = imagesize.get(io.BytesIO(data))
    if width * height > settings.refuse_pixels:
        raise BrokenPictureError(
            f"{path.name}: says it is {width} x {height} pixels, more than pictures.refuse_pixels"
        )
    return int(width), int(height)


def _reduced(image: "Decoded", most: int) -> "Decoded":
    """Returns a picture that is several times too large as the means of its squares.

    In colours it would take four bytes a pixel: what a small file unpacks to may be 600 MB.
    """
    times = int((image.width * image.height / most) ** 0.5)
    if times < 2:
        return image
    if image.mode == "1":
        image = image.convert("L")
    return image.reduce(times) if image.mode in _REDUCIBLE else image


def _as_rgb(image: "Decoded") -> "Decoded":
    from PIL import Image as Pillow

    if image.mode.startswith("I") or image.mode == "F":
        deep = image.convert("F")
        low, high = deep.getextrema()
        assert isinstance(low, float) and isinstance(high, float)
        scale = 255 / (high - low) if high > low else 0.0
        return deep.point(lambda value: value * scale - low * scale).convert("L").convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Pillow.new("RGBA", image.size, "white")
        return Pillow.alpha_composite(paper, image).convert("RGB")
    return image.convert("RGB")
