"""The questions of a run as the model is asked them: chats, pictures, lengths."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from lingshu_core.digest import digest
from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.messages import Content, Message, ask
from lingshu_core.records import Question


@dataclass(frozen=True)
class Asked:
    """One question, ready to be asked in the `think` style."""

    question: Question
    messages: tuple[Message, ...]
    pictures: tuple[Path, ...]
    """Files, in the order in which the messages hold them; opened only for a rollout."""

    @property
    def prompt_sha256(self) -> str:
        """The hash of the messages, pictures as their hashes."""
        return digest([[turn.role, *map(_token, turn.content)] for turn in self.messages])

    def chat(self, images: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """Returns the messages as `apply_chat_template` takes them.

        Args:
            images: What stands for the pictures, in order; None leaves their places empty.
        """
        left = iter(images or ())
        return [
            {
                "role": message.role,
                "content": [_part(piece, left, images) for piece in message.content],
            }
            for message in self.messages
        ]


def _part(piece: Content, images: Iterator[Any], given: Sequence[Any] | None) -> dict[str, Any]:
    if piece.image is None:
        return {"type": "text", "text": piece.text}
    return {"type": "image"} if given is None else {"type": "image", "image": next(images)}


def _token(piece: Content) -> str:
    return piece.text or "" if piece.image is None else piece.image.sha256


def read_questions(manifest: Manifest) -> list[Asked]:
    """Reads the questions of a manifest.

    Raises:
        DataError: A question has no gold, a picture is missing, or there is no question at all.
    """
    found = []
    for question in manifest.of(Question):
        if question.gold is None:
            raise DataError(
                "has no gold, so no reward can be told; make the manifest with `lingshu-rl curate`",
                path=manifest.path,
                record=question.id,
                field="gold",
            )
        messages = ask(question, "think")
        files = tuple(
            manifest.file(piece.image, record=question.id)
            for message in messages
            for piece in message.content
            if piece.image is not None
        )
        found.append(Asked(question, messages, files))
    if not found:
        raise DataError("holds no question", path=manifest.path)
    return found


def open_pictures(asked: Iterable[Asked]) -> dict[Path, Any]:
    """Decodes every distinct picture once; DataError names one that cannot be read."""
    opened: dict[Path, Any] = {}
    for item in asked:
        for path in item.pictures:
            if path not in opened:
                opened[path] = _decode(path, item.question.id)
    return opened


def _decode(path: Path, record: str) -> Any:
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"the picture cannot be read ({error})", path=path, record=record) from None


def prompt_ids(asked: Asked, images: Sequence[Any], processor: Any) -> tuple[int, ...]:
    """Returns the tokens of a prompt, the place of each picture filled as the model reads it."""
    text = processor.apply_chat_template(
        asked.chat(images), add_generation_prompt=True, tokenize=False
    )
    inputs = processor(text=[text], images=list(images) or None)
    return tuple(inputs["input_ids"][0])


def prompt_length(asked: Asked, processor: Any) -> int:
    """Returns how many tokens a prompt has, picture tokens included, without opening a picture."""
    text = processor.apply_chat_template(asked.chat(), add_generation_prompt=True, tokenize=False)
    tokens = len(processor.tokenizer(text)["input_ids"])
    sizes = [
        [piece.image.height, piece.image.width]
        for message in asked.messages
        for piece in message.content
        if piece.image is not None
    ]
    if not sizes:
        return tokens
    counts = processor._get_num_multimodal_tokens(image_sizes=sizes)["num_image_tokens"]
    return int(tokens + sum(counts) - len(sizes))
