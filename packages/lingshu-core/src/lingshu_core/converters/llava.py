"""LLaVA JSON: one array of conversations between `human` and `gpt`, pictures by path."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lingshu_core.converter import (
    Converter,
    Importing,
    conversation,
    item_name,
    load_array,
    put_images,
    write_array,
)
from lingshu_core.manifest import Manifest
from lingshu_core.records import RecordBase, Turn

FILE_NAME = "data.json"
_TO = {"system": "system", "user": "human", "assistant": "gpt"}
_FROM: dict[str, Any] = {"system": "system", "human": "user", "gpt": "assistant"}


def write(manifest: Manifest, folder: Path) -> int:
    """Writes `data.json` and `images/` into a folder."""
    items = (_item(record, put_images(record, manifest, folder)) for record in manifest)
    return write_array(folder / FILE_NAME, items)


def _item(record: RecordBase, paths: list[str]) -> dict[str, Any]:
    item: dict[str, Any] = {"id": record.id}
    if paths:
        item["image"] = paths[0] if len(paths) == 1 else paths
    turns = [{"from": _TO[message.role], "value": text} for message, text in conversation(record)]
    return {**item, "conversations": turns}


def read(importing: Importing) -> Iterator[RecordBase]:
    """Yields the conversations of a LLaVA file."""
    for number, item in enumerate(load_array(importing.path), 1):
        with importing.at(record=item_name(item, number)):
            named = item.get("image") or []
            turns = [Turn(role=_FROM[t["from"]], text=t["value"]) for t in item["conversations"]]
            paths = [named] if isinstance(named, str) else named
            record = importing.conversation(turns, tuple(map(importing.add_image, paths)))
        yield record


CONVERTER = Converter("LLaVA JSON: one array, pictures by path", write, read)
