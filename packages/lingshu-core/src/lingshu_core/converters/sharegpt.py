"""ShareGPT JSON: one array of `conversations`, pictures in a list beside them.

The dialect of LLaMA-Factory and ms-swift: `<image>` in the text and `images` with the paths; when
read, `messages` with `role` and `content` is understood as well.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lingshu_core.converter import Converter, Importing, conversation, from_turns, put_images
from lingshu_core.converters.llava import FILE_NAME, load_array
from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.records import RecordBase, Turn

_TO = {"user": "human", "assistant": "gpt"}
_FROM = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
}


def write(manifest: Manifest, folder: Path) -> int:
    """Writes `data.json` and `images/` into a folder."""
    count = 0
    with (folder / FILE_NAME).open("w", encoding="utf-8") as file:
        for record in manifest:
            item = {
                "id": record.id,
                **_item(record),
                "images": put_images(record, manifest, folder),
            }
            file.write("[\n" if count == 0 else ",\n")
            file.write(json.dumps(item, ensure_ascii=False))
            count += 1
        file.write("[]\n" if count == 0 else "\n]\n")
    return count


def _item(record: RecordBase) -> dict[str, Any]:
    item: dict[str, Any] = {}
    turns = []
    for message, text in conversation(record):
        if message.role == "system":
            item["system"] = text
        else:
            turns.append({"from": _TO[message.role], "value": text})
    return {**item, "conversations": turns}


def read(importing: Importing) -> Iterator[RecordBase]:
    """Yields the conversations of a ShareGPT file."""
    for number, item in enumerate(load_array(importing.path), 1):
        try:
            turns = _turns(item)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"item {number} is no ShareGPT conversation ({error})", path=importing.path
            ) from None
        images = tuple(importing.add_image(path) for path in item.get("images") or [])
        yield from_turns(turns, images, importing, line=number)


def _turns(item: dict[str, Any]) -> list[Turn]:
    turns = []
    if item.get("system"):
        turns.append(Turn(role="system", text=item["system"]))
    if "conversations" in item:
        pairs = [(turn["from"], turn["value"]) for turn in item["conversations"]]
    else:
        pairs = [(turn["role"], turn["content"]) for turn in item["messages"]]
    return turns + [Turn(role=_FROM[role], text=text) for role, text in pairs]


CONVERTER = Converter("ShareGPT JSON: one array, pictures in a list beside the turns", write, read)
