"""Takes out of captions what publishers put into all of them, and drops what has nothing else.

Markup, addresses, remarks on colour and print, licences, and the number of the figure say nothing
about a picture; a model learns to repeat them.
"""

import re

from lingshu_core.records import Caption, RecordBase
from lingshu_data.ledger import Drop
from lingshu_data.operator import Item, Local, Operator, Policy

_PATTERNS = (
    r"<(?:/?[a-z][^<>]{0,80}|!--.*?--)>",
    r"https?://\S+|\bwww\.\S+|\bdoi:\s*10\.\S+",
    r"^\s*(?:supplementary\s+|extended data\s+)?(?:fig(?:ure|\.)?|abb\.|scheme|plate)\s*"
    r"s?\d+[a-z]?\s*[.:|)\u2013-]?\s+",
    r"\(?for (?:the )?interpretation of the references to colou?r[^.]*\.\)?",
    r"\(?(?:this|the) figure (?:appears|is (?:available|shown)) in colou?r[^.]*\.\)?",
    r"\(?colou?r (?:figure|version)[^.]*?(?:online|print)[^.]*\.\)?",
    r"\(?(?:re)?(?:printed|produced|adapted|used) (?:from|with|by)[^.()]{0,160}?permission[^.()]*"
    r"[.)]\)?",
    r"(?:copyright|©)\s*(?:\(c\))?\s*[12][0-9]{3}[^.]*\.?",
    r"[^.]*\bcreative commons\b[^.]*\.?|\bcc[ -]by[a-z -]*[0-9.]*\b",
    r"\bclick here (?:to|for)[^.]*\.?",
    r"\[?\(?please (?:see|view|refer to)[^.]*?(?:online|website|article)[^.]*\.\)?\]?",
)
_BOILERPLATE = re.compile("|".join(_PATTERNS), re.IGNORECASE | re.DOTALL)
_LONGEST = 20_000
"""Characters that are looked at; a caption that is longer is dropped for its length elsewhere."""


class Settings(Policy):
    """Which records are cleaned."""

    operator: str = "boilerplate"
    types: tuple[str, ...] = ("caption",)


class Boilerplate(Local):
    """Cleans a caption."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def judge(self, item: Item) -> RecordBase | Drop:
        """Returns the caption without boilerplate, or drops one that is nothing else."""
        record = item.record
        if not isinstance(record, Caption) or len(record.text) > _LONGEST:
            return record
        clean, count = _BOILERPLATE.subn(" ", record.text)
        if not count:
            return record
        clean = " ".join(clean.split()).strip(" ;|")
        if not any(map(str.isalpha, clean)):
            return Drop("nothing but boilerplate")
        return record.replace(text=clean)


OPERATOR = Operator("Markup, addresses and licences in captions", Settings, Boilerplate)
