"""Tables of words that mean the same, our own and the user's."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lingshu_core.answers.vocabulary import word_set
from lingshu_core.answers.words import Word, words
from lingshu_core.errors import DataError

_RESOURCE = "synonyms.jsonl"
# Abbreviations that are ordinary words too: they count in capitals alone.
_CAPITALS = word_set("words", "capitals")

Key = tuple[str, ...]


class SynonymRow(BaseModel):
    """One line of a table: everything in it means the same."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    canonical: str = Field(min_length=1)
    synonyms: tuple[str, ...] = ()
    family: str | None = None
    """What excludes one another when it is the whole answer: `modality`, `plane`, `organ`."""


class Synonyms:
    """Which words mean the same; a later row wins over an earlier one."""

    def __init__(self, rows: Iterable[SynonymRow]) -> None:
        self._canonical: dict[Key, Key] = {}
        self._families: dict[Key, str] = {}
        for row in rows:
            target = _key(row.canonical)
            # A word that an earlier row leads elsewhere is led on, so that rows can be chained.
            target = self._canonical.get(target, target)
            if not target:
                continue
            for text in (row.canonical, *row.synonyms):
                key = _key(text)
                if key:
                    self._canonical[key] = target
            if row.family:
                self._families[target] = row.family
        self._longest: dict[str, int] = {}
        for key in self._canonical:
            self._longest[key[0]] = max(len(key), self._longest.get(key[0], 0))

    @classmethod
    def default(cls) -> Self:
        """Returns the package's own table."""
        return cls(_own_rows())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Returns the package's own table extended by the rows of a JSONL file.

        A row is `{"canonical": "…", "synonyms": ["…"]}`, with `family` where the answers of a
        family exclude one another. A user's row wins over ours.

        Raises:
            DataError: the file is missing, or a line is no such row.
        """
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise DataError(f"cannot read the synonyms: {error.strerror}", path=path) from error
        return cls((*_own_rows(), *_rows(lines, path)))

    def canonical(self, found: Iterable[Word]) -> Key:
        """Returns words with every known phrase in its canonical form, the longest first."""
        row = list(found)
        result: list[str] = []
        place = 0
        while place < len(row):
            longest = self._longest.get(row[place].text, 0)
            for size in range(min(longest, len(row) - place), 0, -1):
                key = tuple(word.text for word in row[place : place + size])
                if key in self._canonical and not (
                    size == 1 and key[0] in _CAPITALS and not row[place].upper
                ):
                    result.extend(self._canonical[key])
                    place += size
                    break
            else:
                result.append(row[place].text)
                place += 1
        return tuple(result)

    def __contains__(self, canonical: Key) -> bool:
        """Tells whether words are a canonical phrase of the table."""
        return self._canonical.get(canonical) == canonical

    def family(self, canonical: Key) -> str | None:
        """Returns the family of a canonical phrase, or None."""
        return self._families.get(canonical)

    def named(self, canonical: Key, family: str) -> set[Key]:
        """Returns the members of a family that stand in canonical words."""
        found: set[Key] = set()
        for i in range(len(canonical)):
            longest = self._longest.get(canonical[i], 0)
            for size in range(1, min(longest, len(canonical) - i) + 1):
                if self._families.get(canonical[i : i + size]) == family:
                    found.add(canonical[i : i + size])
        return found

    def wordings(self) -> Mapping[Key, Key]:
        """Returns every known wording with its canonical one, as words."""
        return self._canonical


def normalise(text: str, synonyms: Synonyms | None = None) -> str:
    """Returns a phrase as it is compared; normalising the result again changes nothing.

    `synonyms` is the package's own table where none is given.
    """
    table = synonyms or own_synonyms()
    for _ in range(8):
        # Upper case marks a lone letter (`hepatitis A`) that a second pass must not take for an
        # article.
        again = " ".join(
            word.upper() if len(word) == 1 else word for word in table.canonical(words(text))
        )
        if again == text:
            break
        text = again
    return text


@cache
def own_synonyms() -> Synonyms:
    """Returns the package's own table, read once."""
    return Synonyms.default()


@cache
def _own_rows() -> tuple[SynonymRow, ...]:
    text = (resources.files(__package__) / _RESOURCE).read_text(encoding="utf-8")
    return tuple(SynonymRow.model_validate_json(line) for line in text.splitlines())


def _rows(lines: list[str], path: Path) -> Iterable[SynonymRow]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield SynonymRow.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or None
            raise DataError(first["msg"], path=path, line=number, field=field) from error


def _key(text: str) -> Key:
    return tuple(word.text for word in words(text))
