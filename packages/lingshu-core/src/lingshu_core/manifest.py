"""Manifests as they are read: a folder with a header and parts, or a plain `.jsonl` file.

    vqa-rad/
      manifest.json        the header; a folder without it is not finished
      part-00000.jsonl     one record a line, UTF-8, line feed at the end
      images/3f/3f9a….png  files named by their content

Reading streams: memory does not grow with the number of records.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lingshu_core.digest import digest, file_sha256
from lingshu_core.errors import DataError
from lingshu_core.files import HEADER_NAME as HEADER_NAME
from lingshu_core.files import resolve_inside
from lingshu_core.records import (
    PATH_PATTERN,
    RECORD,
    TYPES,
    FileRef,
    Imaging,
    Record,
    RecordBase,
)

FORMAT = "lingshu-manifest/1"

R = TypeVar("R", bound=RecordBase)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class PartInfo(_Model):
    """One part file."""

    path: str = Field(pattern=r"^part-\d{5,}\.jsonl$")
    count: int = Field(ge=0)
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Kind(_Model):
    """How many records of one type there are, and in which version of its schema."""

    count: int = Field(ge=0)
    version: int = Field(ge=1, alias="schema")

    model_config = ConfigDict(populate_by_name=True)


class Producer(_Model):
    """What made a manifest or a checkpoint."""

    package: str
    version: str
    command: str
    settings: str
    """Digest of the resolved settings."""


class Parent(_Model):
    """A manifest or checkpoint that something was made from."""

    path: str
    digest: str


class Header(_Model):
    """What `manifest.json` holds."""

    format: str
    records: dict[str, Kind]
    count: int = Field(ge=0)
    parts: tuple[PartInfo, ...]
    producer: Producer
    parents: tuple[Parent, ...] = ()
    created: str
    """When, in UTC, as ISO 8601 writes it."""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        in_parts = sum(part.count for part in self.parts)
        of_types = sum(kind.count for kind in self.records.values())
        if not self.count == in_parts == of_types:
            raise ValueError(
                f"count is {self.count}, its parts hold {in_parts} and its types {of_types}"
            )
        return self

    def digest(self) -> str:
        """Returns the identity of the records: equal wherever and whenever they were made."""
        return digest({"format": self.format, "records": self.records, "parts": self.parts})


class Manifest:
    """A manifest, opened for reading.

    Args:
        path: A folder with a header, or a `.jsonl` file without one.
        root: Where the paths of pictures start, if the user names another place than the
            manifest's own folder.

    Raises:
        DataError: There is nothing to read, or the header is broken or of a newer format.
    """

    def __init__(self, path: Path | str, *, root: Path | str | None = None) -> None:
        self.path = Path(path)
        self.header: Header | None = None
        self._last: tuple[Record, Path, int] | None = None
        if self.path.is_dir():
            self.header = _read_header(self.path)
            self.parts = [_part(self.path, part.path) for part in self.header.parts]
        elif self.path.is_file():
            self.parts = [self.path]
        else:
            raise DataError("there is no such manifest folder or .jsonl file", path=self.path)
        folder = self.path if self.header else self.path.parent
        self.root = folder if root is None else Path(root)

    @cached_property
    def _real_root(self) -> Path:
        return self.root.resolve()

    def __iter__(self) -> Iterator[Record]:
        """Yields the records in order; DataError at the first one that is broken.

        A part whose hash is not the header's is an error at its end: what was read to the end is
        what the header describes.
        """
        validate = RECORD.validator.validate_json
        for index, part in enumerate(self.parts):
            number, sha = 0, hashlib.sha256()
            with open_part(part) as file:
                try:
                    for line in file:
                        number += 1
                        sha.update(line)
                        record = validate(line, strict=True)
                        self._last = (record, part, number)
                        yield record
                except ValidationError as error:
                    raise broken_line(part, number, error) from None
            self._check_end(index, number, sha.hexdigest())

    def of(self, kind: type[R]) -> Iterator[R]:
        """Yields the records of one type in order, leaving out the others."""
        for record in self:
            if isinstance(record, kind):
                yield record

    def __len__(self) -> int:
        """Returns how many records there are, from the header or by counting lines."""
        if self.header:
            return self.header.count
        with open_part(self.path) as file:
            return sum(1 for _ in file)

    def digest(self) -> str:
        """Returns the identity of the records; of a plain file, the hash of its bytes."""
        return self.header.digest() if self.header else file_sha256(self.path)

    def parent(self) -> Parent:
        """Returns this manifest as the parent of another."""
        return Parent(path=str(self.path), digest=self.digest())

    def file(self, ref: FileRef, *, record: str | None = None) -> Path:
        """Returns where a record's file is.

        Raises:
            DataError: The path leaves the root, or there is no such file.
        """
        try:
            full = resolve_inside(self.root, ref.path, real_root=self._real_root)
            # Not `Path.is_file`, which raises where a name is too long for the file system.
            if not os.path.isfile(full):  # noqa: PTH113
                raise DataError(f"there is no file {ref.path!r}", path=self.root)
        except DataError as error:
            raise self._placed(error, ref, record) from None
        return full

    def _placed(self, error: DataError, ref: FileRef, name: str | None) -> DataError:
        """Adds the line to an error about a file of the record that was read last."""
        if self._last is None or self._last[0].id != name:
            return DataError(error.message, path=error.path, record=name)
        record, part, line = self._last
        field = next((field for field, found in named_files(record) if found == ref), None)
        return DataError(error.message, path=part, line=line, field=field, record=name)

    def verify_parts(self) -> None:
        """Compares every part with the size and hash of the header; DataError where one is off."""
        for index in range(len(self.parts)):
            self.verify_part(index)

    def verify_part(self, index: int) -> None:
        """Compares one part with the header; DataError where it is off."""
        if self.header is None:
            return
        info, part = self.header.parts[index], self.parts[index]
        with open_part(part):
            size = part.stat().st_size
        if size != info.bytes:
            raise DataError(f"has {size} bytes where the header says {info.bytes}", path=part)
        self._check_end(index, info.count, file_sha256(part))

    def _check_end(self, index: int, lines: int, sha256: str) -> None:
        if self.header is None:
            return
        info, part = self.header.parts[index], self.parts[index]
        if lines != info.count:
            message = f"ends after {lines} records where the header says {info.count}"
            raise DataError(message, path=part, line=lines)
        if sha256 != info.sha256:
            raise DataError("was changed: its hash is not the header's", path=part)


def named_files(record: RecordBase) -> Iterator[tuple[str, FileRef]]:
    """Yields every file that a record needs with the field that names it: `images.0.path`."""
    for index, image in enumerate(record.images):
        yield f"images.{index}.path", image
    if isinstance(record, Imaging):
        if record.volume is not None:
            yield "volume.path", record.volume
        for index, mask in enumerate(record.masks):
            yield f"masks.{index}.path", mask


def is_finished(path: Path) -> bool:
    """Says whether a folder holds a finished manifest."""
    return (path / HEADER_NAME).is_file()


def broken_line(path: Path, line: int | None, error: ValidationError) -> DataError:
    """Returns the first fault of a text as an error that names file, line, field and record.

    Args:
        path: The file.
        line: The line that was validated; None where the text is a whole JSON file.
        error: What pydantic found.
    """
    first = error.errors(include_url=False)[0]
    context = first.get("ctx", {})
    if first["type"] == "json_invalid":
        return _no_json(path, line, first["msg"])
    place = [str(step) for step in first["loc"]]
    if place and place[0] in TYPES:
        del place[0]  # which type of record it was read as
    if "discriminator" in context:
        place.append(context["discriminator"].strip("'"))
    value = first.get("input")
    record = value.get("id") if isinstance(value, dict) else None
    return DataError(
        _plain_message(first["type"], first["msg"], context),
        path=path,
        line=line,
        field=".".join(place) or None,
        record=record if isinstance(record, str) else None,
    )


def _no_json(path: Path, line: int | None, message: str) -> DataError:
    place = re.search(r" at line (\d+) column (\d+)$", message)
    if place is None:
        return DataError(f"is no JSON ({message})", path=path, line=line)
    what = message.removeprefix("Invalid JSON: ").removesuffix(place[0])
    return DataError(
        f"is no JSON from column {place[2]} on ({what}): cut or damaged?",
        path=path,
        line=int(place[1]) if line is None else line,
    )


def _plain_message(kind: str, message: str, context: dict[str, Any]) -> str:
    if kind == "extra_forbidden":
        return "this field is unknown; see `lingshu manifest schema`"
    if context.get("pattern") == PATH_PATTERN:
        return "is no path below the manifest's folder (absolute, `..`, `\\` or empty)"
    return message.removeprefix("Value error, ")


def _part(folder: Path, name: str) -> Path:
    path = folder / name
    if path.is_symlink():
        resolve_inside(folder, name)
    return path


def open_part(path: Path) -> BinaryIO:
    """Opens a part for reading line by line; DataError where that is not possible."""
    try:
        return path.open("rb", buffering=1 << 20)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path=path) from None


def _read_header(folder: Path) -> Header:
    path = folder / HEADER_NAME
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"has no {HEADER_NAME}: it is no manifest, or one that was not finished", path=folder
        ) from None
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path=path) from None
    check_format(path, text, FORMAT)
    try:
        header = Header.model_validate_json(text)
    except ValidationError as error:
        raise broken_line(path, None, error) from None
    for name, kind in header.records.items():
        known = TYPES[name].SCHEMA if name in TYPES else 0
        if kind.version > known:
            raise DataError(
                f"holds {name!r} records of schema {kind.version}, and this lingshu-core reads up "
                f"to {known}: upgrade lingshu-core",
                path=path,
                field=f"records.{name}",
            )
    return header


class _Format(BaseModel):
    format: str


def check_format(path: Path, text: bytes, known: str) -> None:
    """Makes sure, before anything else is looked at, that a JSON file is of a format we read.

    Args:
        path: The file.
        text: What it holds.
        known: The newest format that can be read, such as `lingshu-manifest/1`.

    Raises:
        DataError: It is no JSON object, names no format, another one or a newer one.
    """
    try:
        found = _Format.model_validate_json(text).format
    except ValidationError as error:
        raise broken_line(path, None, error) from None
    name, _, version = found.partition("/")
    known_name, _, newest = known.partition("/")
    if name != known_name or not re.fullmatch(r"[0-9]{1,9}", version):
        raise DataError(f"the format {found!r} is no {known_name}", path=path, field="format")
    if int(version) > int(newest):
        raise DataError(
            f"{found} is newer than {known}, which this lingshu-core reads: upgrade lingshu-core",
            path=path,
            field="format",
        )
