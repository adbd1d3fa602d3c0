"""Boxes in the PASCAL VOC layout: one XML file a picture, lists of names as splits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from lingshu_data.reader import Broken, Entry, Reader, Row, matching


@dataclass(frozen=True)
class Voc(Reader):
    """Pictures with boxes; a row has `path`, `width`, `height`, `split` and `objects`.

    An object has `name`, `xmin`, `ymin`, `xmax`, `ymax` in pixels, the maxima inclusive or not as
    the publisher counts.
    """

    annotations: str = "Annotations/*.xml"
    pictures: str = "JPEGImages/{filename}"
    """Where a picture lies, by the name that its XML gives."""
    sets: str = "ImageSets/Main/{split}.txt"
    """Lists of names without suffix."""
    splits: tuple[tuple[str, str], ...] = (
        ("train", "train"), ("val", "validation"), ("test", "test"),
    )  # fmt: skip
    """Name of a list, and of the split it stands for."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The annotations and a folder of pictures."""
        return (self.annotations, self.pictures.replace("{filename}", "*"))

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields path and split of every annotation."""
        split_of = {}
        for name, split in self.splits:
            listed = root / self.sets.replace("{split}", name)
            if listed.is_file():
                for line in listed.read_text(encoding="utf-8").split():
                    split_of[line] = split
        for path in matching(root, self.annotations):
            yield path.relative_to(root).as_posix(), split_of.get(path.stem)

    def rows(self, root: Path, entries: Sequence[Entry]) -> Iterator[Row | Broken]:
        """Yields the parsed annotations."""
        for name, split in entries:
            try:
                tree = ElementTree.parse(root / name).getroot()
                values = self._values(tree)
            except (ElementTree.ParseError, ValueError) as error:
                yield Broken(name, f"is no VOC annotation: {error}")
                continue
            yield Row({**values, "split": split}, name)

    def _values(self, tree: ElementTree.Element) -> dict[str, Any]:
        filename = tree.findtext("filename")
        if not filename:
            raise ValueError("it names no picture")
        objects = []
        for item in tree.iter("object"):
            box = {
                side: item.findtext(f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")
            }
            objects.append({"name": item.findtext("name"), **_numbers(box)})
        return {"path": self.pictures.replace("{filename}", filename), "objects": objects}


def _numbers(box: dict[str, str | None]) -> dict[str, float]:
    return {side: float(value or "") for side, value in box.items()}


READER = Voc
