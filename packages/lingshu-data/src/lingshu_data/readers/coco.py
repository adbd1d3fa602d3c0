"""Boxes in the COCO layout: one JSON file with pictures, categories and annotations.

The file is held while its rows are listed, about 1 kB an annotation.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_data.reader import Broken, Entry, Reader, Row, matching
from lingshu_data.readers.table import split_of


@dataclass(frozen=True)
class Coco(Reader):
    """Pictures with boxes; a row has `path`, `objects`, and `split` where the file's name tells.

    `path` is what the file calls `file_name`: below which folder it counts, each publisher decides.
    An object has `name` and `bbox`: x, y, width, height in pixels.
    """

    files: tuple[str, ...]
    """Patterns below the root."""
    splits: Mapping[str, str] | None = None
    """What a row's `split` is, by a part of the file's name: `{"val": "validation"}`."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The annotation files."""
        return self.files

    def entries(self, root: Path, settings: Any) -> Iterator[Entry]:
        """Yields the pictures with their objects."""
        for pattern in self.files:
            for path in matching(root, pattern):
                yield from self._file(path, path.relative_to(root).as_posix())

    def _file(self, path: Path, name: str) -> Iterator[Row | Broken]:
        split = split_of(Path(name).name, self.splits)
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
            values = {"path": str(image["file_name"]), "objects": objects[image["id"]], **split}
            yield Row(values, place)


READER = Coco
