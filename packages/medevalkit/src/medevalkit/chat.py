"""Messages in the shapes that chat templates and endpoints take."""

from collections.abc import Sequence
from typing import Any

from lingshu_core.messages import Message
from medevalkit.pictures import Loaded


def for_template(messages: Sequence[Message], *, text_only: bool = False) -> list[dict[str, Any]]:
    """Returns messages as a chat template of transformers takes them, pictures as placeholders."""
    if text_only:
        return [{"role": message.role, "content": message.text} for message in messages]
    return [
        {
            "role": message.role,
            "content": [
                {"type": "image"} if piece.image else {"type": "text", "text": piece.text}
                for piece in message.content
            ],
        }
        for message in messages
    ]


def for_endpoint(messages: Sequence[Message], pictures: Sequence[Loaded]) -> list[dict[str, Any]]:
    """Returns messages as the chat completions of OpenAI take them, pictures as `data:` URLs."""
    left = iter(pictures)
    found: list[dict[str, Any]] = []
    for message in messages:
        if all(piece.image is None for piece in message.content):
            found.append({"role": message.role, "content": message.text})
            continue
        content: list[dict[str, Any]] = []
        for piece in message.content:
            if piece.image is None:
                content.append({"type": "text", "text": piece.text})
            else:
                content.append({"type": "image_url", "image_url": {"url": next(left).data_url()}})
        found.append({"role": message.role, "content": content})
    return found
