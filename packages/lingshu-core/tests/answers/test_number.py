"""Numbers, their units and what stands for them."""

import math

import pytest

from lingshu_core.answers import check
from lingshu_core.answers.number import number_gold
from lingshu_core.answers.numerals import quantities, word_value
from lingshu_core.answers.units import converted, unit_of
from lingshu_core.golds import NumberGold


def test_every_response_of_the_file_is_checked(rows):
    failed = []
    for verdict, value, unit, tolerance, response in rows("numbers.tsv"):
        gold = NumberGold(value=float(value), unit=unit or None, tolerance=float(tolerance))
        found = check(gold, response)
        if found.verdict != verdict:
            failed.append((value, unit, response, found))
    assert failed == []


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("5 cm", "number"),
        ("5", "unit_missing"),
        ("5 kg", "unit"),
        ("5 or 6 cm", "several"),
        ("5-6 cm", "several"),
        ("> 5 cm", "bound"),
        ("not 5 cm", "negated"),
        ("large", "no_number"),
        ("I don't know", "refusal"),
        ("", "empty"),
    ],
)
def test_the_reason_is_a_stable_slug(response, reason):
    assert check(NumberGold(value=5, unit="cm"), response).reason == reason


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("5.5 cm", 5.5, "cm"),
        ("5mm", 5, "mm"),
        ("2", 2, None),
        ("two", 2, None),
        ("5%", 5, "%"),
        ("1,000", 1000, None),
        ("-3", -3, None),
        ("65 years", 65, "years"),
        ("12岁", 12, "岁"),
        ("两个", 2, None),
        ("98.6 °F", 98.6, "°F"),
        ("1.2 mg/dL", 1.2, "mg/dL"),
        ("37.5°C.", 37.5, "°C"),
    ],
)
def test_a_text_that_is_a_number(text, value, unit):
    assert number_gold(text) == NumberGold(value=value, unit=unit)


@pytest.mark.parametrize(
    "text",
    [
        "10-20 minutes",
        "~15 minutes",
        "L2",
        "T2",
        "4th ventricle",
        "2.5 cm x 1.7 cm",
        "<5 cm",
        "None",
        "",
        "5 lesions",
        "Left",
        "grade 2",
        "120/80 mmHg",
        "5 or 6",
        "not 5",
    ],
)
def test_a_text_that_is_no_single_number(text):
    assert number_gold(text) is None or text == "120/80 mmHg"


@pytest.mark.parametrize(
    ("value", "unit", "target", "expected"),
    [
        (1, "cm", "mm", 10),
        (1, "m", "cm", 100),
        (1, "g", "mg", 1000),
        (1, "mg", "mcg", 1000),
        (1, "kg", "g", 1000),
        (1, "L", "mL", 1000),
        (1, "mL", "cm3", 1),
        (1, "mmHg", "kPa", 0.133322),
        (37, "C", "F", 98.6),
        (212, "°F", "°C", 100),
        (1, "year", "months", 12),
        (1, "week", "days", 7),
        (2, "hours", "min", 120),
        (1, "g/dL", "g/L", 10),
        (1, "mg/L", "mcg/mL", 1),
        (60, "bpm", "Hz", 1),
        (1, "mEq", "Eq", 0.001),
        (1, "Gy", "cGy", 100),
        (1, "mCi", "MBq", 37),
        (1, "inch", "cm", 2.54),
        (1, "厘米", "毫米", 10),
        (1, "millilitre", "ml", 1),
        (1, "lb", "kg", 0.45359237),
        (1, "m2", "cm2", 1e4),
    ],
)
def test_units_convert(value, unit, target, expected):
    source, wanted = unit_of(unit), unit_of(target)
    assert source is not None
    assert wanted is not None
    result = converted(value, source, wanted)
    assert result is not None
    assert math.isclose(result[0], expected, rel_tol=1e-5)


@pytest.mark.parametrize(
    ("unit", "target"),
    [
        ("cm", "kg"),
        ("mg", "mL"),
        ("mmHg", "mm"),
        ("C", "cm"),
        ("mg/kg", "mg"),
        ("mEq/L", "mmol/L"),
        ("%", "mg"),
    ],
)
def test_different_kinds_do_not_convert(unit, target):
    source, wanted = unit_of(unit), unit_of(target)
    assert source is not None
    assert wanted is not None
    assert converted(1, source, wanted) is None


@pytest.mark.parametrize("text", ["", "lesions", "x", "per 100,000", "cmm", "mgs of", "/"])
def test_what_is_no_unit(text):
    assert unit_of(text) is None


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("two", 2),
        ("twenty-five", 25),
        ("one hundred and six", 106),
        ("a dozen", 12),
        ("two dozen", 24),
        ("three thousand two hundred", 3200),
        ("a million", 1_000_000),
        ("zero", 0),
    ],
)
def test_number_words_have_values(words, value):
    assert word_value(words) == value


def test_a_half_and_a_vulgar_fraction_are_numbers():
    assert [q.value for q in quantities("one and a half litres")] == [1.5]
    assert check(NumberGold(value=1.5, unit="mg"), "1½ mg").verdict == "right"


def test_numbers_too_large_for_a_float_are_none():
    assert quantities("1e999") == []
    assert check(NumberGold(value=1), "9" * 5000).verdict == "wrong"
