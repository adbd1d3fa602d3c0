"""A few items for people to look at, pictures made small."""

from collections import defaultdict
from pathlib import Path

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.panels import Picture
from lingshu_core.records import Prediction, Question, RecordBase, Report
from medevalkit.items import kind_of
from medevalkit.pictures import BrokenPictureError, decoded
from medevalkit.settings import PictureSettings

FOLDER = "samples"
_EDGE = 256
_EACH = 6
_LONGEST = 160


class Samples:
    """Collects the first answers of each kind that show a picture, some right and some wrong."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: dict[tuple[str, str | None], int] = defaultdict(int)
        self.pictures: list[Picture] = []

    def offer(
        self, record: RecordBase, prediction: Prediction, verdict: str | None, pictures: Manifest
    ) -> None:
        """Keeps an answer unless there are enough of its kind and verdict."""
        if not record.images:
            return
        key = (kind_of(record), verdict)
        if self._taken[key] >= _EACH:
            return
        try:
            path = self._small(record, pictures)
        except (DataError, BrokenPictureError):
            return
        self._taken[key] += 1
        caption = f"{_asked(record)} Gold: {_gold(record)} Said: {_cut(prediction.response)}"
        self.pictures.append(Picture(path=path, caption=caption, badge=verdict or key[0]))

    def _small(self, record: RecordBase, pictures: Manifest) -> str:
        image = record.images[0]
        path = f"{FOLDER}/{image.sha256[:16]}.jpg"
        target = self._folder / path
        if not target.is_file():
            target.parent.mkdir(exist_ok=True)
            file = pictures.file(image, record=record.id)
            shown = decoded(file.read_bytes(), file, PictureSettings())
            shown.thumbnail((_EDGE, _EDGE))
            shown.save(target, "JPEG", quality=85)
        return path


def _asked(record: RecordBase) -> str:
    return _cut(record.question) if isinstance(record, Question) else "Write a report."


def _gold(record: RecordBase) -> str:
    if isinstance(record, Question):
        return f"{_cut(record.answer or 'withheld')}."
    return _cut(record.impression) if isinstance(record, Report) else ""


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
