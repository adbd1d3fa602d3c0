"""The interface of the formats that `medevalkit import` reads, one file each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lingshu_core.registry import Registry

Raw = Mapping[str, Any]
"""One row as the file has it."""

Kind = Literal["choice", "closed", "open", "report"]


@dataclass(frozen=True)
class Loose:
    """A response with what it answers, as far as the file says it."""

    response: str
    question: str = ""
    answer: str | int | None = None
    """The gold: for a choice a letter, an index from 0 or the text of an option."""
    options: tuple[str, ...] = ()
    """In order, with or without labels."""
    kind: Kind | None = None
    """None: a choice where there are options, closed where the answer is yes or no, else open."""
    findings: str = ""
    impression: str = ""
    language: str = "en"
    item: str | None = None
    """Id of the record that was asked, where the file knows it."""
    error: str | None = None
    """Why there is no response, where there is none."""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Importer:
    """A format of predictions."""

    describe: str
    rows: Callable[[Path], Iterator[Raw]]
    """Reads a file; DataError where it is none of the format."""
    loose: Callable[[Raw], Loose]
    """Makes a response of a row; DataError, KeyError, TypeError or ValueError where it is broken.
    """


IMPORTERS = Registry("medevalkit.importers", "medevalkit.importers", "IMPORTER", Importer)
"""Formats of predictions, one file each."""
