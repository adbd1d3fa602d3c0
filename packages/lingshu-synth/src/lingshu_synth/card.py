"""Dataset cards: how a record's metadata becomes a short caption (paper, section 2.2.1, stage 1).

A card is a TOML file named like the dataset. What cannot be seen in a picture, and whatever could
tell who the patient is, never gets into a sentence: a card that asks for it is refused.
"""

import re
import string
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import Field

from lingshu_core.errors import SettingsError
from lingshu_core.recipe import Recipe, check
from lingshu_core.records import Imaging
from lingshu_synth.naming import MODALITY_WORDS, listed, readable
from lingshu_synth.phrasing import choose, fill, rank

_PERSONAL = re.compile(
    r"(^|_)(age|birth\w*|dob|sex|gender|race|ethnic\w*|religion|nationality|name|initials|mrn|ssn"
    r"|id|uid|patient\w*|subject\w*|person\w*|date|time|year|hospital|institution|center"
    r"|centre|physician\w*|doctor\w*|operator|address|zip\w*|city|phone|email|insurance|marital\w*"
    r"|occupation|accession\w*|study\w*|series\w*|weight|height)(_|$)",
    re.I,
)

_ABSENT = 3


class Sentence(Recipe):
    """One sentence in several wordings."""

    wordings: tuple[str, ...] = Field(min_length=1)


class Card(Recipe):
    """What a dataset's metadata means."""

    sentences: tuple[Sentence, ...]
    """Each is left out where the record lacks the fields of all its wordings."""
    kind: str = ""
    """What doctors look for in its pictures: a name under `prompts/captions/doctor`."""
    knowledge: tuple[str, ...] = ()
    """Notes that belong to every record, beside those of its labels."""
    disease: str = ""
    """Disease or organ of the whole dataset, where the labels do not say."""
    observable: tuple[str, ...] = ()
    """Personal fields that can be seen in these pictures, and so may be told: `sex`."""


def load_card(dataset: str, folder: str | None) -> Card:
    """Returns the card of a dataset: the user's, the package's, or the general one.

    Raises:
        SettingsError: The card is broken, or tells what must not be told.
    """
    return _load(dataset, folder)


@cache
def _load(dataset: str, folder: str | None) -> Card:
    own = Path(folder) / f"{dataset}.toml" if folder else None
    shipped = files("lingshu_synth").joinpath("cards")
    path = own if own is not None and own.is_file() else shipped.joinpath(f"{dataset}.toml")
    if not path.is_file():
        path = shipped.joinpath("default.toml")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: the card cannot be read: {error}") from None
    card = check(Card, data, where=str(path))
    for name in sorted(_fields_of(card)):
        if is_personal(name) and name not in card.observable:
            raise SettingsError(
                f"{path}: ${{{name}}} cannot be seen in a picture or tells who the patient is"
            )
    return card


def is_personal(field: str) -> bool:
    """Says whether a metadata field could tell who the patient is, or cannot be seen."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", field)
    return _PERSONAL.search(re.sub(r"\W+", "_", snake)) is not None


def visible_fields(record: Imaging, card: Card) -> dict[str, str]:
    """Returns what may be said of a record, as texts by field name."""
    fields = {
        name: str(value)
        for name, value in record.metadata.items()
        if str(value).strip() and (not is_personal(name) or name in card.observable)
    }
    present, absent = findings(record)
    known = {
        "picture": MODALITY_WORDS.get(record.modality, ("", "a medical picture"))[1],
        "organ": readable(record.organ) if record.organ else "",
        "view": readable(record.view) if record.view else "",
        "sequence": record.sequence or "",
        "laterality": record.laterality or "",
        "body_part": readable(record.tags.get("body_part", "")),
        "findings": listed(present) if present else "",
        "absent": listed(_few(absent, record.id), "or") if absent else "",
    }
    return fields | {name: value for name, value in known.items() if value}


def findings(record: Imaging) -> tuple[list[str], list[str]]:
    """Returns what is there and what is not, in the words of a sentence."""
    present = [readable(name) for name, state in record.labels.items() if state == "present"]
    absent = [readable(name) for name, state in record.labels.items() if state == "absent"]
    return list(dict.fromkeys(present)), list(dict.fromkeys(absent))


def _few(absent: list[str], place: str) -> list[str]:
    """Returns some of what is not there: naming all of it would drown what is."""
    drawn = sorted(absent, key=lambda name: rank(place, name))[:_ABSENT]
    return [name for name in absent if name in drawn]


def short_caption(record: Imaging, card: Card, *place: object) -> str:
    """Returns the short caption; which wording is taken follows from `place`."""
    fields = visible_fields(record, card)
    said = (word(s.wordings, fields, *place, n) for n, s in enumerate(card.sentences))
    return " ".join(sentence for sentence in said if sentence)


def word(wordings: tuple[str, ...], fields: dict[str, str], *place: object) -> str:
    """Returns one of the wordings that say the most with the fields there are, or nothing."""
    able = [(len(names), text) for text in wordings if (names := _names(text)) <= fields.keys()]
    most = max((count for count, _ in able), default=0)
    best = [text for count, text in able if count == most]
    if not best:
        return ""
    text = choose(best, *place)
    return fill(text, **{name: fields[name] for name in _names(text)})


def _fields_of(card: Card) -> set[str]:
    return {name for s in card.sentences for text in s.wordings for name in _names(text)}


@cache
def _names(text: str) -> frozenset[str]:
    return frozenset(string.Template(text).get_identifiers())
