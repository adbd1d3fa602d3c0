"""ShareGPT JSON: one array of `conversations`, pictures in a list beside them.

The dialect of LLaMA-Factory and ms-swift: `<image>` in the text and `images` with the paths; when
read, `messages` with `role` and `content` is understood as well.
"""

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
_TO = {"user": "human", "assistant": "gpt"}
_FROM: dict[str, Any] = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
}


def write(manifest: Manifest, folder: Path) -> int:
    """Writes `data.json` and `images/` into a folder."""
    items = (_item(record, put_images(record, manifest, folder)) for record in manifest)
    return write_array(folder / FILE_NAME, items)


def _item(record: RecordBase, paths: list[str]) -> dict[str, Any]:
    item: dict[str, Any] = {"id": record.id}
    turns = []
    for message, text in conversation(record):
        if message.role == "system":
            item["system"] = text
        else:
            turns.append({"from": _TO[message.role], "value": text})
    return {**item, "conversations": turns, "images": paths}


def read(importing: Importing) -> Iterator[RecordBase]:
    """Yields the conversations of a ShareGPT file."""
    for number, item in enumerate(load_array(importing.path), 1):
        with importing.at(record=item_name(item, number)):
            images = tuple(map(importing.add_image, item.get("images") or []))
            record = importing.conversation(turns_of(item), images)
        yield record


def turns_of(item: dict[str, Any]) -> list[Turn]:
    """Returns the turns of an item: `conversations` or `messages`, after its `system` if any."""
    turns = []
    if item.get("system"):
        turns.append(Turn(role="system", text=item["system"]))
    if item.get("conversations"):
        pairs = [(turn["from"], turn["value"]) for turn in item["conversations"]]
    else:
        pairs = [(turn["role"], turn["content"]) for turn in item["messages"]]
    return turns + [Turn(role=_FROM[role], text=text) for role, text in pairs]


CONVERTER = Converter("ShareGPT JSON: one array, pictures in a list beside the turns", write, read)
