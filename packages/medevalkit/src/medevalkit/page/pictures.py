"""Pictures beside the page, each once, as browsers show them and as the model saw them."""

import io
from pathlib import Path

from lingshu_core.errors import DataError
from lingshu_core.files import link_or_copy, write_atomic
from lingshu_core.manifest import Manifest
from lingshu_core.records import Image, RecordBase
from medevalkit.pictures import BrokenPictureError, decoded
from medevalkit.settings import PictureSettings

FOLDER = "pictures"
_SHOWN_BY_BROWSERS = {".png", ".jpg", ".jpeg", ".webp"}
_EDGE = 1024
"""Pixels of the longer side of a picture that has to be converted."""


class PictureShelf:
    """The pictures of a page, named by their content.

    Args:
        out: Folder of the page.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._known: dict[str, dict[str, str]] = {}

    @property
    def missing(self) -> int:
        """How many pictures could not be shown."""
        return sum("fault" in found for found in self._known.values())

    def put(self, record: RecordBase, manifest: Manifest) -> list[dict[str, str]]:
        """Returns where the page finds the pictures of an item, or why it does not.

        Args:
            record: The item.
            manifest: Its manifest; no path of the item leaves the root of it.
        """
        found = []
        for image in record.images:
            if image.sha256 not in self._known:
                self._known[image.sha256] = self._placed(image, record, manifest)
            found.append(self._known[image.sha256])
        return found

    def _placed(self, image: Image, record: RecordBase, manifest: Manifest) -> dict[str, str]:
        try:
            source = manifest.file(image, record=record.id)
            suffix = source.suffix.lower()
            if suffix in _SHOWN_BY_BROWSERS:
                name = self._name(image, suffix)
                link_or_copy(source, self._out / name)
            else:
                name = self._name(image, ".png")
                write_atomic(self._out / name, _converted(source))
        except DataError:
            # Its own words name the folder, which is nobody's business on a page.
            return {"fault": f"{image.path} is missing, or lies outside its folder"}
        except (BrokenPictureError, OSError) as error:
            return {"fault": f"the picture cannot be shown ({type(error).__name__})"}
        return {"path": name}

    def _name(self, image: Image, end: str) -> str:
        return f"{FOLDER}/{image.sha256[:2]}/{image.sha256[:24]}{end}"


def _converted(source: Path) -> bytes:
    picture = decoded(source.read_bytes(), source, PictureSettings())
    picture.thumbnail((_EDGE, _EDGE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
