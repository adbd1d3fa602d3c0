"""Numbers in text: digits, thousands, powers of ten, fractions, number words, Chinese numerals."""

import math
import re
from dataclasses import dataclass

from lingshu_core.answers.units import UNIT, Unit, unit_of
from lingshu_core.answers.vocabulary import longest_first, word_row

_ONES = {word: value for value, word in enumerate(word_row("numbers", "ones"))}
_TENS = {word: 10 * value for value, word in enumerate(word_row("numbers", "tens"), 2)}
_POWERS = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}
_VALUES = {**_ONES, **_TENS, "single": 1, "solitary": 1, "none": 0}
ROMAN = {word: value for value, word in enumerate(word_row("numbers", "roman"), 1)}
"""Values of the Roman numerals that grades, types and nerves use."""
_CHINESE = {sign: value for value, sign in enumerate(word_row("numbers", "chinese"))} | {"两": 2}

_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,9}(?![0-9])|[0-9]{1,40})(?:\.[0-9]{1,40})?|\.[0-9]{1,40}"
_NUMBER = re.compile(
    rf"(?<![A-Za-z0-9.])(?P<sign>(?<![0-9)%])-)?(?:(?P<whole>[0-9]{{1,9}})\s(?=[0-9]{{1,3}}/))?"
    rf"(?:10\s?\^\s?\{{?\s?(?P<ten>[-+]?[0-9]{{1,3}})\}}?|(?P<digits>{_DIGITS}))"
    r"(?:\s?/\s?(?P<under>[0-9]{1,9})(?![0-9.]))?"
    r"(?:\s?[x\u00d7*]\s?10\s?\^?\s?\{?\s?(?P<power>[-+]?[0-9]{1,3})\}?"
    r"|e(?P<e>[-+]?[0-9]{1,3})(?![A-Za-z0-9]))?"
    r"(?![0-9])",
    re.I,
)
_WORDS = "|".join(longest_first(frozenset({*_ONES, *_TENS})))
_WORD_NUMBER = re.compile(
    rf"\b(?:{_WORDS}|a(?=\s(?:hundred|thousand|million|dozen)))"
    rf"(?:[\s-](?:and[\s-])?(?:{_WORDS}|hundred|thousand|million|billion|dozen)){{0,9}}\b"
    r"|\b(?:dozen|single|solitary|none)\b",
    re.I,
)
_NO_COUNT = frozenset({"single", "solitary", "none"})
_HALF = re.compile(r"\s+and\s+(?:a|one)\s+half\b", re.I)
_CHINESE_NUMBER = re.compile(r"[零一二两三四五六七八九十百]{1,7}")
_UNIT_GAP = re.compile(r"\s?-?\s?")
_OLD = re.compile(r"[\s-]?(?:years?|yrs?|y)[\s/-]?(?:old|o)\b", re.I)
_PERCENT_BEFORE = re.compile(r"百分之$")
_BOUND_BEFORE = re.compile(
    r"(?:[<>≤≥]|\b(?:less|more|greater|fewer|larger|smaller|higher|lower|older"
    r"|younger) than(?: or equal to)?|\b(?:at least|at most|up to|over|under|above|below|beyond"
    r"|exceeding|minimum(?: of)?|maximum(?: of)?)|大于|小于|超过|不足|至少|至多|最多|不到|低于"
    r"|高于)\s*(?:about\s)?$",
    re.I,
)
_BOUND_AFTER = re.compile(
    r"\s*(?:\b(?:or|and)\s+(?:more|less|fewer|greater|larger|smaller|higher|lower|above|below"
    r"|over|under|up|upwards?|longer|older|younger)\b|\bupwards?\b|\b(?:at (?:least|most)"
    r"|minimum|maximum|(?:is|are|was|would be) too)\b|\+(?![0-9/+-])|以上|以下|或更)",
    re.I,
)
_NOT_BEFORE = re.compile(
    r"(?:(?<!\bif )\bnot(?: (?:quite|exactly|really|yet))?|n't|\bnever|\bno|\brather than"
    r"|\binstead of|不是|而非)\s+(?:a\s)?$",
    re.I,
)
_LABEL_BEFORE = re.compile(
    r"\b(?:fig(?:ure)?|table|step|ref|reference|question|q|image|series)\.?\s?$", re.I
)
_RANGE = re.compile(r"\s?(?:-|~|\bto\b|\bor\b|\band\b|\u00d7|\bx\b|\bby\b|/|至|到|或)\s?", re.I)
_SPREAD = re.compile(r"\s?(?:±|\+/-|\+-)\s?$")
_LISTED = re.compile(r"[.)]\s")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text, with the unit behind it."""

    value: float
    unit: Unit | None
    start: int
    end: int
    bound: bool = False
    """It is a limit (`more than 5`), not a value."""
    denied: bool = False
    """The text says that it is not this."""
    tied: bool = False
    """It is one end of a range, or one side of a size."""


def quantities(text: str, limit: int = 200) -> list[Quantity]:
    """Returns the numbers of a plain text, in order; digits win over words where both stand.

    Digits inside a term (`T2`, `L4`), of a figure or of a list's numbering are none.
    """
    found = _digits(text, limit)
    if not found:
        found = _words(text, limit)
    for i in range(len(found) - 1):
        if _RANGE.fullmatch(text, found[i].end, found[i + 1].start):
            unit = found[i].unit or found[i + 1].unit
            found[i] = _with(found[i], unit)
            found[i + 1] = _with(found[i + 1], found[i + 1].unit or unit)
    return found


def _with(quantity: Quantity, unit: Unit | None) -> Quantity:
    return Quantity(
        quantity.value,
        unit,
        quantity.start,
        quantity.end,
        quantity.bound,
        quantity.denied,
        tied=True,
    )


def _digits(text: str, limit: int) -> list[Quantity]:
    found: list[Quantity] = []
    for match in _NUMBER.finditer(text):
        start, end = match.start(), match.end()
        before = text[max(0, start - 24) : start]
        if _LABEL_BEFORE.search(before) or (found and _SPREAD.search(before)):
            continue
        line = text.rfind("\n", 0, start) + 1
        if not text[line:start].strip() and _LISTED.match(text, end) and text[end + 1 :].strip():
            continue
        value = _value(match)
        if value is not None:
            found.append(_quantity(text, value, start, end))
        if len(found) >= limit:
            break
    return found


def _value(match: re.Match[str]) -> float | None:
    if match["ten"]:
        value = 10.0 ** int(match["ten"]) if int(match["ten"]) < 300 else math.inf
    else:
        value = float(match["digits"].replace(",", ""))
    if match["under"]:
        if float(match["under"]) == 0:
            return None
        value /= float(match["under"])
    value += float(match["whole"] or 0)
    power = int(match["power"] or match["e"] or 0)
    value *= 10.0**power if abs(power) < 300 else math.inf
    value = -value if match["sign"] else value
    return value if math.isfinite(value) else None


def _quantity(text: str, value: float, start: int, end: int) -> Quantity:
    before = text[max(0, start - 30) : start]
    gap = _UNIT_GAP.match(text, end)
    begin = gap.end() if gap else end
    old = _OLD.match(text, end)
    written = UNIT.match(text, begin)
    unit = unit_of("years") if old else unit_of(written[0]) if written else None
    stop = old.end() if old else written.end() if written and unit else end
    if _PERCENT_BEFORE.search(before):
        unit = unit_of("%")
    return Quantity(
        value,
        unit,
        start,
        stop,
        bool(_BOUND_BEFORE.search(before) or _BOUND_AFTER.match(text, stop)),
        bool(_NOT_BEFORE.search(before)),
    )


def _words(text: str, limit: int) -> list[Quantity]:
    found: list[Quantity] = []
    for match in _WORD_NUMBER.finditer(text):
        if match[0].lower() in _NO_COUNT and len(text) > 40:
            continue
        end = match.end()
        half = _HALF.match(text, end)
        value = word_value(match[0]) + (0.5 if half else 0.0)
        found.append(_quantity(text, value, match.start(), half.end() if half else end))
        if len(found) >= limit:
            return found
    if not found:
        for match in _CHINESE_NUMBER.finditer(text):
            value = float(_chinese_value(match[0]))
            found.append(_quantity(text, value, match.start(), match.end()))
            if len(found) >= limit:
                break
    return found


def spelled(text: str) -> str:
    """Returns the text with number words as digits: `twenty-five years` as `25 years`."""
    return _WORD_NUMBER.sub(
        lambda found: found[0] if found[0].lower() in _NO_COUNT else str(word_value(found[0])),
        text,
    )


def word_value(words: str) -> int:
    """Returns the value of number words: `twenty-five`, `one hundred and six`, `a dozen`."""
    total, current = 0, 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word in _VALUES:
            current += _VALUES[word]
        elif word == "dozen":
            current = max(current, 1) * 12
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in _POWERS:
            total += max(current, 1) * _POWERS[word]
            current = 0
        elif word == "a":
            current = max(current, 1)
    return total + current


def _chinese_value(text: str) -> int:
    total, current = 0, 0
    for sign in text:
        if sign in _CHINESE:
            current = _CHINESE[sign]
        else:
            total += max(current, 1) * {"十": 10, "百": 100}[sign]
            current = 0
    return total + current
