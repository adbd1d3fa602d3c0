"""LLaVA JSON: one array of conversations between `human` and `gpt`, pictures by path."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lingshu_core.converter import Converter, Importing, conversation, from_turns, put_images
from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.records import RecordBase, Turn

FILE_NAME = "data.json"
_TO = {"system": "system", "user": "human", "assistant": "gpt"}
_FROM = {"system": "system", "human": "user", "gpt": "assistant"}


def write(manifest: Manifest, folder: Path) -> int:
    """Writes `data.json` and `images/` into a folder."""
    count = 0
    with (folder / FILE_NAME).open("w", encoding="utf-8") as file:
        for record in manifest:
            item: dict[str, Any] = {"id": record.id}
            paths = put_images(record, manifest, folder)
            if paths:
                item["image"] = paths[0] if len(paths) == 1 else paths
            item["conversations"] = [
                {"from": _TO[message.role], "value": text} for message, text in conversation(record)
            ]
            file.write("[\n" if count == 0 else ",\n")
            file.write(json.dumps(item, ensure_ascii=False))
            count += 1
        file.write("[]\n" if count == 0 else "\n]\n")
    return count


def read(importing: Importing) -> Iterator[RecordBase]:
    """Yields the conversations of a LLaVA file."""
    for number, item in enumerate(load_array(importing.path), 1):
        try:
            named = item.get("image", [])
            paths = [named] if isinstance(named, str) else list(named or [])
            turns = [Turn(role=_FROM[t["from"]], text=t["value"]) for t in item["conversations"]]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"item {number} is no LLaVA conversation ({error})", path=importing.path
            ) from None
        images = tuple(importing.add_image(path) for path in paths)
        yield from_turns(turns, images, importing, line=number)


def load_array(path: Path) -> list[Any]:
    """Returns the items of a JSON array in a file; DataError where there is none."""
    try:
        items = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path=path) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        line = getattr(error, "lineno", None)
        raise DataError(f"is no JSON: {error}", path=path, line=line) from None
    if not isinstance(items, list):
        raise DataError("is no JSON array of conversations", path=path)
    return items


CONVERTER = Converter("LLaVA JSON: one array, pictures by path", write, read)
