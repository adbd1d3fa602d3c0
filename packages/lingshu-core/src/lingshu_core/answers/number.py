"""Numbers with units: which quantity a response commits to, and whether it is the gold's."""

import re

from lingshu_core.answers.cleaning import unify
from lingshu_core.answers.cues import final_answer
from lingshu_core.answers.numerals import ROMAN, Quantity, quantities
from lingshu_core.answers.refusals import refused
from lingshu_core.answers.results import Check
from lingshu_core.answers.units import Unit, converted, unit_of
from lingshu_core.golds import NumberGold

_ROMAN = re.compile(r"(?<![A-Za-z])(?:I{1,3}|IV|VI{0,3}|IX|XI{0,2})(?![A-Za-z.])")
_NOTHING = re.compile(
    r"(?:none|nothing|nil|zero|no|absent|not seen|not present|not visible|没有|无|零|未见)\b"
    r"|no \w+(?: (?:is|are) \w+)?$|there (?:is|are) (?:no|none)\b|(?:没有|无|未见)",
    re.I,
)


def check_number(gold: NumberGold, response: str) -> Check:
    """Checks a number.

    Units of the same kind are converted, and the difference may be the gold's tolerance. A unit
    of another kind is wrong. Where the gold has a unit and the answer none, the answer is taken in
    the gold's unit; where the gold has none, any unit may stand behind the number, and a
    percentage is a part of one. Two different numbers of the right kind, a range and
    a limit ("more than 5") are no answer.
    """
    text, how = final_answer(response)
    if not text:
        return Check.unparsed(how)
    unit = unit_of(gold.unit) if gold.unit else None
    if gold.unit and unit is None:
        text = re.sub(re.escape(gold.unit), " ", text, flags=re.I)
    found = quantities(text)
    if not found:
        return _without_digits(gold, text)
    pool, reason = _of_its_kind(found, gold, unit)
    if not pool:
        return Check.of(False, _written(found[0]), "unit")
    held = [quantity for quantity in pool if not quantity.denied]
    if not held:
        return Check.unparsed("negated")
    if any(quantity.bound for quantity in held):
        return Check.unparsed("bound")
    values = {_in_units_of(quantity, unit)[0] for quantity in held}
    if max(values) - min(values) > 1e-9 * max(1.0, abs(max(values))):
        return Check.unparsed("several")
    return Check.of(_equals(held[0], gold, unit), _written(held[0]), reason)


def _without_digits(gold: NumberGold, text: str) -> Check:
    if _NOTHING.match(text):
        return Check.of(abs(gold.value) <= gold.tolerance, "0", "number")
    numerals = {match[0].lower() for match in _ROMAN.finditer(text)}
    if len(numerals) == 1 and gold.unit is None:
        value = ROMAN[numerals.pop()]
        return Check.of(abs(value - gold.value) <= gold.tolerance, str(value), "number")
    return Check.unparsed(refused(text) or "no_number")


def _of_its_kind(
    found: list[Quantity], gold: NumberGold, unit: Unit | None
) -> tuple[list[Quantity], str]:
    """Returns the quantities that can be meant, and how their unit was taken."""
    bare = [quantity for quantity in found if quantity.unit is None]
    if gold.unit is None:
        return (bare or found), "number"
    if unit is None:
        return bare, "number"
    same = [q for q in found if q.unit is not None and q.unit.dimensions == unit.dimensions]
    return (same, "number") if same else (bare, "unit_missing")


def _in_units_of(quantity: Quantity, unit: Unit | None) -> tuple[float, float]:
    """Returns the value in a unit, and the slack of the conversion."""
    if unit is None or quantity.unit is None:
        return quantity.value, 0.0
    return converted(quantity.value, quantity.unit, unit) or (quantity.value, 0.0)


def _equals(quantity: Quantity, gold: NumberGold, unit: Unit | None) -> bool:
    value, slack = _in_units_of(quantity, unit)
    allowed = gold.tolerance + slack + 1e-9 * max(1.0, abs(gold.value))
    is_part = quantity.unit is not None and quantity.unit.dimensions == (("part", 1),)
    if gold.unit is None and is_part and quantity.unit is not None:
        return abs(quantity.value * quantity.unit.factor - gold.value) <= allowed
    return abs(value - gold.value) <= allowed


def _written(quantity: Quantity) -> str:
    number = f"{quantity.value:.10g}"
    return number if quantity.unit is None else f"{number} {quantity.unit.name}"


def number_gold(text: str) -> NumberGold | None:
    """Returns the gold that a whole answer text stands for: one number, a known unit or none.

    None for anything else: ranges, limits, several numbers, further words.
    """
    text = unify(text).strip().rstrip(".。")
    found = quantities(text, limit=3)
    if len(found) != 1 or found[0].bound or found[0].denied:
        return None
    quantity = found[0]
    if text[: quantity.start].strip() or text[quantity.end :].strip() or text.lower() == "none":
        return None
    counted = quantity.unit is None or not quantity.unit.dimensions
    unit = None if counted or quantity.unit is None else quantity.unit.name
    return NumberGold(value=quantity.value, unit=unit)
