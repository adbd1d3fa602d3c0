"""Several wordings for the same thing, kept as resources and chosen by a hash."""

import hashlib
import string
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def phrasings(name: str) -> dict[str, Any]:
    """Returns the wordings of `phrasings/NAME.toml`."""
    path = files("lingshu_synth").joinpath("phrasings", f"{name}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def rank(*parts: object) -> float:
    """Returns a number in [0, 1) that follows from the parts alone, on every machine."""
    sha = hashlib.sha256("\0".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(sha[:8], "big") / 2**64


def choose(wordings: list[str], *parts: object) -> str:
    """Returns one of the wordings, which one following from the parts alone."""
    return wordings[int(rank(*parts) * len(wordings))]


def fill(wording: str, **fields: str) -> str:
    """Returns a wording with its `${field}` places filled, and its first letter a capital."""
    text = string.Template(wording).substitute(fields)
    return text[:1].upper() + text[1:]
