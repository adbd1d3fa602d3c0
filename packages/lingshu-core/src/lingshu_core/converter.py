"""The interface of the foreign formats that manifests convert to and from."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagesize
from pydantic import ValidationError

from lingshu_core.digest import record_id
from lingshu_core.errors import DataError
from lingshu_core.files import link_or_copy, resolve_inside
from lingshu_core.manifest import Manifest, broken_line
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

    @contextmanager
    def at(self, *, line: int | None = None, record: str | None = None) -> Iterator[None]:
        """Makes whatever is wrong in the block a DataError that names the place in the file.

        Args:
            line: The line, in a format of lines.
            record: The item's own id, or its number from 1, in others.
        """
        try:
            yield
        except ValidationError as error:
            fault = broken_line(self.path, line, error)
        except DataError as error:
            fault = error
        except KeyError as error:
            fault = DataError(f"the key {error} is missing, or its value is unknown")
        except (AttributeError, TypeError, ValueError) as error:
            fault = DataError(f"is no conversation as this format writes it ({error})")
        else:
            return
        raise DataError(fault.message, path=self.path, line=line, field=fault.field, record=record)

    def add_image(self, path: str) -> Image:
        """Takes over a picture that the foreign file names by a path below `images`."""
        full = resolve_inside(self.images, path)
        if not full.is_file():
            raise DataError(f"there is no picture {path!r} in {self.images}", field="image")
        return self.add_bytes(full.read_bytes(), suffix=full.suffix.lower() or ".png")

    def add_bytes(self, data: bytes, *, suffix: str) -> Image:
        """Takes over a picture that the foreign file holds itself."""
        ref = self.writer.add_file(data, suffix=suffix)
        width, height = imagesize.get(self.writer.folder / ref.path)
        if width <= 0 or height <= 0:
            raise DataError("the picture is in no known format", field="image")
        return Image(path=ref.path, sha256=ref.sha256, width=width, height=height)

    def conversation(self, turns: list[Turn], images: tuple[Image, ...]) -> RecordBase:
        """Returns a conversation as an instruction where it is one exchange, else as a dialogue.

        Raises:
            DataError: There is no exchange, or the marks in the texts do not fit the pictures.
        """
        if len(turns) < 2:
            raise DataError("a conversation needs a question and an answer", field="turns")
        roles = [turn.role for turn in turns]
        common: dict[str, Any] = {
            "id": record_id(
                self.source.dataset,
                *(image.sha256 for image in images),
                *(f"{turn.role}:{turn.text}" for turn in turns),
            ),
            "source": self.source,
            "modality": Modality.UNKNOWN if images else Modality.TEXT,
            "images": images,
        }
        record: RecordBase
        if roles in (["user", "assistant"], ["system", "user", "assistant"]):
            record = Instruction(
                **common,
                system=turns[0].text if roles[0] == "system" else None,
                instruction=turns[-2].text,
                response=turns[-1].text,
            )
        else:
            record = Dialogue(**common, turns=tuple(turns))
        to_messages(record)
        return record


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


def load_array(path: Path) -> list[Any]:
    """Returns the items of a JSON array in a file; DataError where there is none."""
    try:
        items = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path=path) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise DataError(f"is no UTF-8: byte {error.start}", path=path, line=line) from None
    except json.JSONDecodeError as error:
        raise DataError(f"is no JSON: {error.msg}", path=path, line=error.lineno) from None
    if not isinstance(items, list):
        raise DataError("is no JSON array of conversations", path=path)
    return items


def item_name(item: Any, number: int) -> str:
    """Returns what an error calls an item of an array: its own id, or its number from 1."""
    return str(item.get("id", number)) if isinstance(item, dict) else str(number)


def write_array(path: Path, items: Iterator[dict[str, Any]]) -> int:
    """Writes a JSON array, one item a line, as the items come; returns how many there were."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for item in items:
            file.write(",\n" if count else "[\n")
            file.write(json.dumps(item, ensure_ascii=False))
            count += 1
        file.write("\n]\n" if count else "[]\n")
    return count
