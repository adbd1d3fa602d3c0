"""Hashes that are the same on every machine: of files, of settings, of records."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

_BLOCK = 1 << 20


def canonical_json(value: Any) -> bytes:
    """Returns the one JSON text of a value: sorted keys, no spaces, UTF-8.

    Raises:
        TypeError: a value is neither JSON nor a pydantic model nor a path.
        ValueError: a float is not finite.
    """
    text = json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
        default=_plain,
    )
    return text.encode()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} has no canonical JSON")


def digest(value: Any) -> str:
    """Returns the SHA-256 (64 hex digits) of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def file_sha256(path: Path) -> str:
    """Returns the SHA-256 (64 hex digits) of a file, read in blocks of 1 MiB."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sha.update(block)
    return sha.hexdigest()


def record_id(dataset: str, *content: str) -> str:
    """Returns the stable id of a record: its dataset and 80 bits of a hash of its content.

    `content` is whatever tells the record from its neighbours: picture hashes, texts, a key of
    the publisher's. The same content gives the same id on every machine and in every order of
    reading.
    """
    sha = hashlib.sha256()
    for part in (dataset, *content):
        data = part.encode()
        # Lengths keep ("ab", "c") and ("a", "bc") apart.
        sha.update(len(data).to_bytes(8, "big"))
        sha.update(data)
    return f"{dataset}/{sha.hexdigest()[:20]}"
