"""A phrase taken apart for comparison: words, quantities, items of a list, its main clause."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lingshu_core.answers.cleaning import plain
from lingshu_core.answers.numerals import quantities
from lingshu_core.answers.synonyms import Key, Synonyms
from lingshu_core.answers.vocabulary import word_set
from lingshu_core.answers.words import words

_QUANTITY = "qqq"
_LEADING = word_set("phrase", "leading")
_SPLIT = re.compile(
    r"\s*(?:,(?![0-9]{3})|[;\n、+]|\band/or\b|\band\b|&|\bplus\b|\bas well as\b|\balong with\b"
    r"|以及|和|与|及|(?<=[^\W\d_]{3})\s?/\s?(?=[^\W\d_]{3}))\s*",
    re.I,
)
_BOTH_SIDES = re.compile(r"\b(?:both )?(?:left and right|right and left)(?: sides?)?\b", re.I)
_BULLET = re.compile(r"^[ \t]*(?:[-*•]|\(?[0-9a-z]{1,2}[.)])\s+", re.M | re.I)
_SENTENCE = re.compile(r"(?<=[^\s.]{2})[.!]\s+(?=[A-Z\u3400-\u9fff])|[。\n]+")
_CONCLUDES = re.compile(
    r"\s*(?:therefore|thus|hence|so|in conclusion|overall|in summary|to conclude|consequently"
    r"|finally|based on|因此|所以|综上|故)\b[\s,]*",
    re.I,
)
_REASON = re.compile(
    r"[\s,;:(-]*\b(?:because|since|as (?:evidenced|shown|seen|indicated|suggested|demonstrated"
    r"|there|it|the)|given (?:the|that)|based on(?![^.]*\b(?:is|are|was)\b)|owing to the"
    r"|due to the (?:presence|absence|lack))\b.*$|,?\s?因为.*$",
    re.I | re.S,
)
_CONTRAST = re.compile(
    r"(?:[,;(]\s*(?:and |but )?(?:not|rather than|instead of|unlike|as opposed to)\b"
    r"|\b(?:and|but) not\b|\brather than\b|\binstead of\b|\bas opposed to\b|,?(?:而不是|而非)"
    r"|,不是)\s*(.*)$",
    re.I | re.S,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|being|shows?|showed|showing|reveals?|revealed|demonstrates?"
    r"|demonstrated|demonstrating|depicts?|displays?|indicates?|indicating|suggests?|suggesting"
    r"|represents?|contains?|has|have|exhibits?|see|seen|appears?|looks?|seems?|consistent with"
    r"|suggestive of|suspicious for|compatible with|indicative of|diagnosis of|evidence of"
    r"|presence of|characteristic of|typical of|called|known as|as|like|in|on|:)(?=\W)|:|(?:显示"
    r"|可见|提示|考虑|诊断)(?:为|是)?|位于|[是为]",
    re.I,
)
_MAX = 600


@dataclass(frozen=True, slots=True)
class Phrase:
    """One wording, ready to be compared."""

    text: str
    words: Key
    """Canonical words that carry meaning, without leading prepositions."""
    quantities: tuple[tuple[str, float], ...]
    """Dimensions and value in base units of every number with a unit, in order; in `words` a sign
    stands in the place of each."""
    items: tuple[Key, ...]
    """The words of each item where the phrase is a list; else the phrase alone."""


@lru_cache(maxsize=8192)
def phrase(text: str, synonyms: Synonyms) -> Phrase:
    """Returns a plain text of up to some hundred characters taken apart."""
    found: list[tuple[str, float]] = []
    rest, since = [], 0
    for quantity in quantities(text):
        if (
            quantity.unit is not None
            and quantity.unit.dimensions
            and text[quantity.start].isdigit()
        ):
            value = float(f"{quantity.value * quantity.unit.factor:.9g}")
            found.append((str(quantity.unit.dimensions), value))
            rest.append(text[since : quantity.start])
            since = quantity.end
    rest.append(text[since:])
    remains = f" {_QUANTITY} ".join(rest)
    whole = _canonical(remains, synonyms)
    items = tuple(filter(None, (_canonical(part, synonyms) for part in _SPLIT.split(remains))))
    if whole in synonyms or len(items) < 2:
        items = (whole,)
    return Phrase(text, whole, tuple(found), items)


def _canonical(text: str, synonyms: Synonyms) -> Key:
    key = synonyms.canonical(words(_BOTH_SIDES.sub("bilateral", text)))
    while len(key) > 1 and key[0] in _LEADING:
        key = key[1:]
    return key


@dataclass(frozen=True, slots=True)
class Clause:
    """What an answer commits to, apart from its reasons and from what it sets aside."""

    main: str
    set_aside: str
    """What it says it is not ("…, not edema"); empty where it says no such thing."""


def clause(text: str) -> Clause:
    """Returns the main clause of a plain answer.

    Of several sentences the last counts where it draws a conclusion, else the first. Sentences
    and lines of a few words each are a list, and stay one.
    """
    text = _BULLET.sub("", text).strip()
    parts = [part.strip() for part in _SENTENCE.split(text) if part.strip()]
    if not parts:
        return Clause("", "")
    main = parts[0]
    if len(parts) > 1:
        conclusion = _CONCLUDES.match(parts[-1])
        if all(len(part.split()) <= 4 for part in parts):
            main = ", ".join(part.rstrip(".") for part in parts)
        elif conclusion:
            main = parts[-1]
    conclusion = _CONCLUDES.match(main)
    if conclusion and not main.lower().startswith("based on"):
        main = main[conclusion.end() :]
    main = main.rstrip(" .。!")[:_MAX]
    main = _REASON.sub("", main) or main
    contrast = _CONTRAST.search(main)
    if contrast and words(main[: contrast.start()]):
        return Clause(main[: contrast.start()].strip(" ,;("), contrast[1])
    return Clause(main.strip(), "")


def forms(main: str) -> Iterator[str]:
    """Yields what may be the answer proper in a clause: after its verb, without brackets."""
    yield main
    for verb in list(_VERB.finditer(main))[:6]:
        rest = main[verb.end() :].strip(" ,:")
        if rest:
            yield rest
    bracket = main.find("(")
    if bracket > 0:
        yield main[:bracket].strip()


def wording(text: str) -> str:
    """Returns a gold wording as plain text."""
    return plain(text)
