"""The interface of the foreign formats that manifests convert to and from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import imagesize

from lingshu_core.digest import record_id
from lingshu_core.errors import DataError
from lingshu_core.files import link_or_copy, resolve_inside
from lingshu_core.manifest import Manifest
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.messages import Message, to_messages
from lingshu_core.modality import Modality
from lingshu_core.records import (
    IMAGE_MARK,
    Dialogue,
    Image,
    Instruction,
    RecordBase,
    Source,
    Turn,
)
from lingshu_core.registry import Registry


@dataclass(frozen=True)
class Importing:
    """What a reader needs besides the foreign file."""

    path: Path
    source: Source
    writer: ManifestWriter
    images: Path
    """Folder where the paths of pictures start."""

    def add_image(self, path: str, *, line: int | None = None) -> Image:
        """Takes over a picture that the foreign file names by a path below `images`."""
        full = resolve_inside(self.images, path)
        if not full.is_file():
            raise DataError(f"there is no picture {path!r}", path=self.path, line=line)
        return self.add_bytes(full.read_bytes(), suffix=full.suffix.lower() or ".png", line=line)

    def add_bytes(self, data: bytes, *, suffix: str, line: int | None = None) -> Image:
        """Takes over a picture that the foreign file holds itself."""
        ref = self.writer.add_file(data, suffix=suffix)
        width, height = imagesize.get(self.writer.folder / ref.path)
        if width <= 0 or height <= 0:
            raise DataError("the picture is in no known format", path=self.path, line=line)
        return Image(path=ref.path, sha256=ref.sha256, width=width, height=height)


@dataclass(frozen=True)
class Converter:
    """One foreign format."""

    describe: str
    write: Callable[[Manifest, Path], int]
    """Writes a manifest into an empty folder and returns how many records it wrote."""
    read: Callable[[Importing], Iterator[RecordBase]]
    """Yields the records of a foreign file."""


CONVERTERS = Registry("lingshu_core.converters", "lingshu_core.converters", "CONVERTER", Converter)


def conversation(record: RecordBase) -> list[tuple[Message, str]]:
    """Returns the messages of a record, each with its text in which `<image>` marks pictures."""
    found = []
    for message in to_messages(record):
        pieces = (IMAGE_MARK if piece.image else piece.text or "" for piece in message.content)
        found.append((message, "".join(pieces)))
    return found


def put_images(record: RecordBase, manifest: Manifest, folder: Path) -> list[str]:
    """Links the pictures of a record below a folder and returns their paths in it."""
    for image in record.images:
        link_or_copy(manifest.file(image, record=record.id), folder / image.path)
    return [image.path for image in record.images]


def from_turns(
    turns: list[Turn], images: tuple[Image, ...], importing: Importing, *, line: int
) -> RecordBase:
    """Returns a conversation as an instruction where it is one exchange, else as a dialogue."""
    modality = Modality.UNKNOWN if images else Modality.TEXT
    roles = [turn.role for turn in turns]
    key = record_id(
        importing.source.dataset,
        *(image.sha256 for image in images),
        *(f"{turn.role}:{turn.text}" for turn in turns),
    )
    if roles in (["user", "assistant"], ["system", "user", "assistant"]):
        return Instruction(
            id=key,
            source=importing.source,
            modality=modality,
            images=images,
            system=turns[0].text if roles[0] == "system" else None,
            instruction=turns[-2].text,
            response=turns[-1].text,
        )
    if len(turns) < 2:
        raise DataError("a conversation needs two turns", path=importing.path, line=line)
    return Dialogue(
        id=key, source=importing.source, modality=modality, images=images, turns=tuple(turns)
    )
