"""OpenAI chat JSONL: one `{"messages": [...]}` a line, pictures as `image_url` parts.

Pictures are named by a path below the file; `data:` URLs are understood when read.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lingshu_core.converter import Converter, Importing, put_images
from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest, open_part
from lingshu_core.messages import Message, to_messages
from lingshu_core.records import IMAGE_MARK, Image, RecordBase, Turn

FILE_NAME = "data.jsonl"
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif"}


def write(manifest: Manifest, folder: Path) -> int:
    """Writes `data.jsonl` and `images/` into a folder."""
    count = 0
    with (folder / FILE_NAME).open("w", encoding="utf-8") as file:
        for record in manifest:
            put_images(record, manifest, folder)
            messages = [_message(message) for message in to_messages(record)]
            file.write(json.dumps({"id": record.id, "messages": messages}, ensure_ascii=False))
            file.write("\n")
            count += 1
    return count


def _message(message: Message) -> dict[str, Any]:
    if all(piece.image is None for piece in message.content):
        return {"role": message.role, "content": message.text}
    content: list[dict[str, Any]] = []
    for piece in message.content:
        if piece.image is not None:
            content.append({"type": "image_url", "image_url": {"url": piece.image.path}})
        else:
            content.append({"type": "text", "text": piece.text})
    return {"role": message.role, "content": content}


def read(importing: Importing) -> Iterator[RecordBase]:
    """Yields the conversations of a chat file, line by line."""
    with open_part(importing.path) as file:
        for number, line in enumerate(file, 1):
            images: list[Image] = []
            with importing.at(line=number):
                turns = [_turn(message, images, importing) for message in _messages(line)]
                record = importing.conversation(turns, tuple(images))
            yield record


def _messages(line: bytes) -> list[dict[str, Any]]:
    try:
        item = json.loads(line)
    except UnicodeDecodeError as error:
        raise DataError(f"is no UTF-8: byte {error.start} of the line") from None
    except json.JSONDecodeError as error:
        message = f"is no JSON from column {error.colno} on ({error.msg}): cut or damaged?"
        raise DataError(message) from None
    messages: list[dict[str, Any]] = item["messages"]
    return messages


def _turn(message: dict[str, Any], images: list[Image], importing: Importing) -> Turn:
    role, content = message["role"], message["content"]
    if isinstance(content, str):
        return Turn(role=role, text=content)
    text = ""
    for piece in content:
        if piece["type"] == "image_url":
            images.append(_image(piece["image_url"]["url"], importing))
            text += IMAGE_MARK
        else:
            text += piece["text"]
    return Turn(role=role, text=text)


def _image(url: str, importing: Importing) -> Image:
    if not url.startswith("data:"):
        return importing.add_image(url)
    kind, _, data = url.removeprefix("data:").partition(";base64,")
    try:
        decoded = base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise DataError(f"a data URL is broken: {error}", field="image_url") from None
    return importing.add_bytes(decoded, suffix=_SUFFIXES.get(kind, ".png"))


CONVERTER = Converter("OpenAI chat JSONL: pictures as image_url parts", write, read)
