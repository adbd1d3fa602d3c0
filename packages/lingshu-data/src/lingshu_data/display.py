"""What the pages show of the data: bars, tables and thumbnails, made from exact counts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from PIL import Image as Pillow

from lingshu_core.errors import DataError
from lingshu_core.files import resolve_inside, write_atomic
from lingshu_core.panels import Bars, Gallery, Picture, Series, Table
from lingshu_core.records import Image, RecordBase
from lingshu_data.pictures import decode, encode, open_header

_SIDE = 160
_FOLDER = "thumbnails"


class Thumbnails:
    """Small copies of pictures for the galleries of a page.

    Args:
        folder: The folder that holds the page.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, root: Path, image: Image) -> str | None:
        """Makes a thumbnail and returns its path below the folder; None where none can be made.

        Args:
            root: Where the picture's path starts.
            image: The picture.
        """
        try:
            picture = decode(open_header(resolve_inside(root, image.path)))
        except DataError:
            return None
        picture = picture.convert("RGB")
        picture.thumbnail((_SIDE, _SIDE), Pillow.Resampling.LANCZOS)
        path = f"{_FOLDER}/{image.sha256[:24]}.png"
        if not (self._folder / path).exists():
            write_atomic(self._folder / path, encode(picture).data)
        return path


class Sampler:
    """Keeps the first few records of every modality, for a gallery.

    Args:
        each: How many of a modality.
        most: How many altogether.
    """

    def __init__(self, each: int = 2, most: int = 40) -> None:
        self._each = each
        self._most = most
        self._seen: Counter[str] = Counter()
        self._pictures: set[str] = set()
        self.records: list[RecordBase] = []

    def offer(self, record: RecordBase) -> None:
        """Takes a record over if its modality is not yet shown enough."""
        if not record.images or len(self.records) >= self._most:
            return
        sha = record.images[0].sha256
        if self._seen[record.modality] < self._each and sha not in self._pictures:
            self._seen[record.modality] += 1
            self._pictures.add(sha)
            self.records.append(record)

    def gallery(self, folder: Path, *, title: str, note: str = "") -> Gallery:
        """Returns the gallery of what was taken over, whose pictures lie below the folder."""
        thumbnails = Thumbnails(folder)
        pictures = []
        for record in sorted(self.records, key=lambda record: record.modality):
            path = thumbnails.add(folder, record.images[0])
            if path is not None:
                pictures.append(
                    Picture(path=path, badge=str(record.modality), caption=caption(record))
                )
        return Gallery(title=title, note=note, pictures=tuple(pictures), wide=True)


def reason(what: str, record: RecordBase) -> str:
    """Returns why a record was dropped, with what was measured where that says something."""
    value = record.tags.get("dropped_value", "0")
    return what if value == "0" else f"{what} ({value})"


def caption(record: RecordBase) -> str:
    """Returns a few words on a record: its labels or the beginning of its text."""
    texts = record.texts()
    labels = getattr(record, "labels", {})
    if labels:
        words = ", ".join(f"{name} {presence}" for name, presence in labels.items())
    else:
        words = " ".join(texts) if texts else record.source.dataset
    organ = getattr(record, "organ", None)
    return f"{organ}: {_short(words)}" if organ else _short(words)


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def bars(title: str, counts: Mapping[str, int], *, note: str = "") -> Bars:
    """Returns horizontal bars, the longest first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    names, numbers = [name for name, _ in ordered], [number for _, number in ordered]
    series = Series(name="records", x=tuple(names), y=tuple(numbers))
    return Bars(title=title, note=note, x="records", series=(series,), horizontal=True)


def spans(bits: Iterable[int]) -> tuple[str, ...]:
    """Returns the names of histogram bars of numbers of so many bits each: `8 to 15` for 4."""
    return tuple(f"{1 << (n - 1)} to {(1 << n) - 1}" if n > 1 else str(n) for n in bits)


def count_table(title: str, columns: tuple[str, ...], counts: Mapping[str, int]) -> Table:
    """Returns a table of counts; the parts of a name stand in columns of their own."""
    rows: Iterable[tuple[str | int, ...]] = (
        (*name.split(": ", len(columns) - 2), number) for name, number in counts.items()
    )
    return Table(title=title, columns=columns, rows=tuple(rows))
