"""Boxes in the COCO layout: one JSON file with pictures, categories and annotations.

The file is held while its rows are listed, about 1 kB an annotation.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_data.reader import Broken, Entry, Reader, Row, matching


@dataclass(frozen=True)
class Coco(Reader):
    """Pictures with boxes; a row has `path`, `split` and `objects`.

    An object has `name` and `bbox`: x, y, width, height in pixels.
    """

    files: tuple[tuple[str, str], ...]
    """Pattern of an annotation file, and the split it holds."""
    pictures: str
    """Where a picture lies: `{split}` and `{file_name}` are filled in."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The annotation files."""
        return tuple(pattern for pattern, _ in self.files)

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the pictures with their objects."""
        for pattern, split in self.files:
            for path in matching(root, pattern):
                yield from self._file(path, split, path.relative_to(root).as_posix())

    def _file(self, path: Path, split: str, name: str) -> Iterator[Row | Broken]:
        try:
            whole = json.loads(path.read_bytes())
            names = {item["id"]: item["name"] for item in whole["categories"]}
            images = whole["images"]
            objects = defaultdict(list)
            for item in whole["annotations"]:
                found = {"name": names.get(item.get("category_id")), "bbox": item.get("bbox")}
                objects[item.get("image_id")].append(found)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            yield Broken(name, f"is no COCO file: {error!r}")
            return
        for number, image in enumerate(images):
            place = f"{name}:images[{number}]"
            if "file_name" not in image or "id" not in image:
                yield Broken(place, "has no file_name or id")
                continue
            where = self.pictures.replace("{split}", split)
            where = where.replace("{file_name}", str(image["file_name"]))
            yield Row({"path": where, "split": split, "objects": objects[image["id"]]}, place)


READER = Coco
