"""What is asked of a model and what comes back, without any address.

A call is known by its canonical request: model, messages with pictures as what they are made of,
every setting of the sampling, form of the reply, replica. Endpoint, file names, place in the input
and number of calls in flight are no part of it.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from lingshu_core.digest import canonical_json
from lingshu_core.records import Box, FileRef, Image, RecordBase
from lingshu_synth.settings import ModelSettings, PicturePolicy

OVERLAY = 1
"""The way boxes are drawn; another way makes another picture."""

Finish = Literal["stop", "length", "refusal", "content_filter", "error"]


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture described, not yet drawn: a picture file or a slice of a volume, with overlays."""

    file: FileRef
    width: int
    """In pixels, as drawn."""
    height: int
    slice: int | None = None
    """Of a volume: from 0 at the feet upwards."""
    window: tuple[float, float] | None = None
    """Of a volume: the values shown black and white."""
    boxes: tuple[Box, ...] = ()
    """Drawn on it; in its own pixels."""

    def place(self) -> dict[str, Any]:
        """Returns where in its volume it lies, as the fields of a record's picture."""
        if self.slice is None:
            return {}
        return {"slice": self.slice, "volume": self.file.sha256[:16]}

    def describe(self) -> dict[str, Any]:
        """Returns what tells this picture from every other, as JSON."""
        found: dict[str, Any] = {"sha256": self.file.sha256}
        if self.slice is not None:
            found |= {"slice": self.slice, "window": self.window}
            found |= {"width": self.width, "height": self.height}
        if self.boxes:
            found["overlay"] = OVERLAY
            found["boxes"] = [[b.x, b.y, b.width, b.height, b.label] for b in self.boxes]
        return found


@dataclass(frozen=True, slots=True)
class Message:
    """What one side says: texts and pictures in order."""

    role: Literal["system", "user", "assistant"]
    pieces: tuple[str | Shot, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a model, without any address."""

    stage: str
    """Its place in the script: `factual`, `summary`."""
    prompt: str
    prompt_sha256: str
    messages: tuple[Message, ...]
    model: ModelSettings
    pictures: PicturePolicy
    schema: dict[str, Any] | None = None
    """JSON Schema that the reply has to fit, where it has to be JSON."""
    replica: int = 0
    """Tells apart calls that are meant to be sampled more than once."""
    example: str = ""
    """A reply of the usual form and length, with which a dry run goes on."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call and what it is known by."""

    call: Call
    body: bytes
    """The canonical request, as `body_of` has it."""
    key: str
    """SHA-256 of the body, 64 hex digits."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, read out of the raw bytes that the journal keeps."""

    key: str
    """Of the call that it answers."""
    text: str
    finish: Finish
    error: str = ""
    """Why there is no answer, where `finish` is `error`."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    endpoint: str = "openai"
    """Kind of the endpoint that answered."""


def shots_of(call: Call) -> list[Shot]:
    """Returns the pictures of a call, each once, in order."""
    pieces = (piece for message in call.messages for piece in message.pieces)
    return list(dict.fromkeys(piece for piece in pieces if not isinstance(piece, str)))


def body_of(call: Call) -> dict[str, Any]:
    """Returns the canonical request: everything that decides the answer, and nothing else."""
    body: dict[str, Any] = {
        "messages": [
            {"role": message.role, "content": [_piece(piece, call) for piece in message.pieces]}
            for message in call.messages
        ],
        "model": call.model.plain,
        "replica": call.replica,
    }
    if call.schema is not None:
        body["schema"] = call.schema
    return body


def _piece(piece: str | Shot, call: Call) -> Any:
    if isinstance(piece, str):
        return piece
    return {"picture": piece.describe(), "policy": call.pictures.plain}


def request_of(call: Call) -> Request:
    """Returns a call with its canonical form and its key."""
    body = canonical_json(body_of(call))
    return Request(call, body, hashlib.sha256(body).hexdigest())


def pictures_of(record: RecordBase) -> tuple[Shot, ...]:
    """Returns the pictures of a record as they are."""
    return tuple(_shot(image) for image in record.images)


def _shot(image: Image) -> Shot:
    return Shot(image, image.width, image.height)
