"""The word lists of the grammar, as its data files hold them."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

_VOCABULARY = "vocabulary.toml"


@cache
def data_file(name: str) -> dict[str, Any]:
    """Returns the content of one of the package's TOML files."""
    return tomllib.loads((resources.files(__package__) / name).read_text(encoding="utf-8"))


def entry(section: str, name: str) -> Any:
    """Returns an entry of the vocabulary as it stands in the file."""
    return data_file(_VOCABULARY)[section][name]


def word_row(section: str, name: str) -> tuple[str, ...]:
    """Returns the words of an entry in their order."""
    return tuple(entry(section, name).split())


def word_set(section: str, name: str) -> frozenset[str]:
    """Returns the words of an entry."""
    return frozenset(word_row(section, name))


def longest_first(words: frozenset[str]) -> tuple[str, ...]:
    """Returns words as a pattern has to try them: the longest first, then by the alphabet."""
    return tuple(sorted(words, key=lambda word: (-len(word), word)))
