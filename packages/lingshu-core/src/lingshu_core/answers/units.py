"""Units of measurement in medicine, and how one converts into another."""

import re
from dataclasses import dataclass

from lingshu_core.answers.vocabulary import data_file, longest_first

Dimensions = tuple[tuple[str, int], ...]

_CASED = {"T": "tesla", "C": "°c", "F": "°f", "G": "gauge", "D": "diopter", "K": ""}
_UNITS_OF = {"volume": ("length", 3), "rate": ("time", -1)}
_ROUNDED = frozenset({"length", "mass", "time", "pressure", "energy", "decay"})
_LONG = re.compile(r"[a-z]{4,}")
_SPELT = (("metre", "meter"), ("litre", "liter"), ("gramme", "gram"), ("\u00b5", "\u03bc"))


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as a factor to the base units of its dimensions."""

    name: str
    factor: float
    dimensions: Dimensions


_DATA = data_file("units.toml")
_SPELLINGS: tuple[str, ...] = tuple(_DATA["spellings"])
_TABLE: dict[str, tuple[float, str, int]] = {}
for _kind, _names in _DATA.items():
    if isinstance(_names, dict):
        _base, _power = _UNITS_OF.get(_kind, (_kind, 1))
        _TABLE.update({_name: (_factor, _base, _power) for _name, _factor in _names.items()})


def _spellings() -> tuple[str, ...]:
    """Returns every way to write a unit's name, the longest first."""
    plurals = {f"{name}s" for name in _TABLE if _LONG.fullmatch(name)}
    american = {*_TABLE, *plurals, *_SPELLINGS}
    british = {name.replace("meter", "metre").replace("liter", "litre") for name in american}
    return longest_first(frozenset(american | british))


_ONE = "(?:" + "|".join(map(re.escape, _spellings())) + r")(?![A-Za-z])(?:\^?-?[23](?![0-9]))?"
_OVER = r"(?:\s?/\s?|\s?\bper\b\s?|\s?每\s?)"
UNIT = re.compile(rf"(?:{_OVER})?{_ONE}(?:{_OVER}{_ONE}){{0,3}}", re.I)
"""A unit as it stands behind a number."""
_PART = re.compile(rf"({_OVER})|({_ONE})", re.I)
_POWER = re.compile(r"\^?-?([23])$")


def unit_of(text: str) -> Unit | None:
    """Returns the unit that a text names (`mg/dL`, `years`, `mmHg`), or None for no known one."""
    text = text.strip()
    if not UNIT.fullmatch(text):
        return None
    factor, powers, sign = 1.0, dict[str, int](), 1
    for part in _PART.finditer(text):
        if part[1]:
            sign = -1
            continue
        found = _single(part[2])
        if found is None:
            return None
        scale, base, power = found
        factor *= scale**sign
        powers[base] = powers.get(base, 0) + sign * power
    powers.pop("count", None)
    return Unit(text, factor, tuple(sorted((k, v) for k, v in powers.items() if v)))


def _single(written: str) -> tuple[float, str, int] | None:
    """Returns factor, base and power of a unit without a fraction bar."""
    name = _CASED.get(written, written.lower())
    for uk, us in _SPELT:
        name = name.replace(uk, us)
    name = re.sub(r"^(?:degrees?|deg) ?|° ?", "°", name) if name[:1] in "d°" else name
    name = name.replace("°celsius", "°c").replace("°fahrenheit", "°f")
    for attempt in (name, name.removesuffix("s"), _POWER.sub("", name)):
        if attempt in _TABLE:
            scale, base, power = _TABLE[attempt]
            raised = _POWER.search(name) if attempt != name and not name.endswith("s") else None
            exponent = int(raised[1]) if raised else 1
            return scale**exponent, base, power * exponent
    return None


def converted(value: float, unit: Unit, target: Unit) -> tuple[float, float] | None:
    """Returns a value in another unit and the slack that rounding of the conversion deserves.

    None where the two measure different things. Conversions between powers of ten, and between
    months and years, are exact; others (mmHg to kPa, years to days, pounds to kilograms) get
    0.5 % of the value, temperatures 0.06 degrees.
    """
    if unit.dimensions != target.dimensions:
        return None
    if unit.dimensions == (("temperature", 1),):
        return _temperature(value, unit, target)
    ratio = unit.factor / target.factor
    result = value * ratio
    exact = any(_near_integer(r) for r in (ratio, 1 / ratio))
    kinds = {base for base, _ in unit.dimensions}
    return result, 0.0 if exact or not kinds <= _ROUNDED else abs(result) * 0.005


def _near_integer(ratio: float) -> bool:
    return abs(ratio - round(ratio)) < 1e-9 * max(1.0, abs(ratio)) and round(ratio) != 0


def _temperature(value: float, unit: Unit, target: Unit) -> tuple[float, float]:
    is_f, to_f = (re.search(r"f", name, re.I) is not None for name in (unit.name, target.name))
    if is_f == to_f:
        return value, 0.0
    return (value * 9 / 5 + 32 if to_f else (value - 32) * 5 / 9), 0.06
