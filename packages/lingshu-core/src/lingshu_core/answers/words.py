"""Words as they are compared: one spelling, one number, digits for numerals."""

import re
import unicodedata
from dataclasses import dataclass

from lingshu_core.answers.cleaning import unify
from lingshu_core.answers.numerals import ROMAN, spelled
from lingshu_core.answers.vocabulary import entry, word_row, word_set

_TOKEN = re.compile(
    r"(?P<ordinal>[0-9]{1,4}(?:st|nd|rd|th)(?![A-Za-z0-9]))"
    r"|(?P<code>[^\W\d_\u3400-\u9fff]+[0-9][^\W_\u3400-\u9fff]*)"
    r"|(?P<number>[0-9]+(?:,[0-9]{3}(?![0-9]))*(?:\.[0-9]+)?)"
    r"|(?P<chinese>[\u3400-\u9fff])"
    r"|(?P<word>[^\W\d_\u3400-\u9fff]+(?:'[^\W\d_\u3400-\u9fff]+)*)"
    r"|(?P<sign>%|[<>≤≥↑↓]|(?<=[A-Za-z0-9])\+|(?<=[A-Za-z0-9])-(?![A-Za-z0-9]))",
)
_CODE_RANGE = re.compile(
    r"(?<![A-Za-z0-9])([A-Za-z])([0-9]{1,2})\s?[-/]\s?([0-9]{1,2})(?![0-9A-Za-z])"
)
_SIGNED = re.compile(r"(?<!\w)([+-])ve\b", re.I)
_STOP = word_set("words", "stop")
_LETTERED = word_set("words", "lettered")
_NUMBERED = word_set("words", "numbered")
_KEEP = word_set("words", "keep")
_ORDINALS = {word: f"{i}th" for i, word in enumerate(word_row("words", "ordinals"), 1)}
_GREEK: dict[str, str] = entry("words", "greek")
_IRREGULAR: dict[str, str] = entry("words", "irregular")
_BRITISH = (
    (re.compile(r"ae"), "e"),
    (re.compile(r"oe(?!s$|d$|r$|ing$)"), "e"),
    (re.compile(r"(?<=[a-z]{3})our(?=$|s$|ed$|ing$|less$|al$)"), "or"),
    (re.compile(r"^sulph"), "sulf"),
    (re.compile(r"^(f|cent|lit|met|tit|louv|calib|theat)(ib)?re(s?)$"), r"\1\2er\3"),
    (re.compile(r"(?<=[a-z]{3})is(e|ed|es|ing|ation)$"), r"iz\1"),
    (re.compile(r"(?<=[a-z]{3})ys(e|ed|es|ing)$"), r"yz\1"),
    (re.compile(r"^leuco"), "leuko"),
    (re.compile(r"(?<=[a-z]{2})ll(ed|ing)$"), r"l\1"),
    (re.compile(r"^grey"), "gray"),
    (re.compile(r"^mould"), "mold"),
    (re.compile(r"^manoeuv"), "maneuv"),
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word as compared, and whether it was written in capitals."""

    text: str
    upper: bool


def words(text: str) -> list[Word]:
    """Returns the words of a phrase that carry meaning, as they are compared.

    NFKC, lower case, without accents, articles, copulas and punctuation; hyphens part words; one
    spelling (US), singular; number words and the numerals of grades as digits; `n't` and `cannot`
    as `not`; `non…` parted; `+` and `-` behind a marker as `positive` and `negative`. A Chinese
    character is a word.
    """
    text = spelled(_CODE_RANGE.sub(r"\1\2 \1\3", unify(text)))
    text = _SIGNED.sub(lambda found: " positive" if found[1] == "+" else " negative", text)
    every = [word for match in _TOKEN.finditer(text) for word in _read(match) if word.text]
    found = [word for word in every if word.text not in _STOP] or every
    kept: list[Word] = []
    for i, word in enumerate(found):
        if word.text == "a":
            before = kept[-1].text if kept else ""
            lettered = before in _LETTERED or (word.upper and bool(kept))
            if i + 1 < len(found) and not lettered:
                continue
            word = Word("a", True)
        kept.extend(_numeral(word, kept[-1].text if kept else ""))
    return kept


def _read(match: re.Match[str]) -> list[Word]:
    raw = match[0]
    upper = (len(raw) > 1 and raw.isupper()) or raw == "A"
    if match["number"]:
        digits = raw.replace(",", "")
        return [Word(digits.rstrip("0").rstrip(".") if "." in digits else digits, False)]
    if match["ordinal"]:
        return [Word(f"{int(raw[:-2])}th", False)]
    if match["sign"]:
        return [Word({"+": "positive", "-": "negative"}.get(raw, raw), False)]
    if match["chinese"]:
        return [Word(raw, False)]
    return _latin(raw, upper)


def _latin(raw: str, upper: bool) -> list[Word]:
    word = _plain(raw)
    if word.endswith("n't") or word == "cannot":
        return [Word("not", False)]
    word = re.sub(r"'s$", "", word).replace("'", "")
    if word.startswith("non") and len(word) > 6 and word not in {"nonsense"}:
        return [Word("non", False), Word(singular(american(word[3:])), False)]
    word = _ORDINALS.get(word, _IRREGULAR.get(word, word))
    return [Word(singular(american(word)), upper)]


def _plain(raw: str) -> str:
    word = "".join(_GREEK.get(sign, sign) for sign in raw.casefold())
    if word.isascii():
        return word
    parted = unicodedata.normalize("NFKD", word)
    return "".join(sign for sign in parted if not unicodedata.combining(sign))


def _numeral(word: Word, before: str) -> list[Word]:
    """Turns a Roman numeral into digits behind `grade` and the like, or where only that reads."""
    certain = word.upper and word.text in ROMAN and word.text not in {"i", "iv", "v", "x"}
    if before in _NUMBERED or certain:
        stem = word.text.rstrip("abc") if before in _NUMBERED else word.text
        if stem in ROMAN:
            suffix = word.text[len(stem) :]
            return [Word(str(ROMAN[stem]), False), *([Word(suffix, True)] if suffix else [])]
    return [word]


def american(word: str) -> str:
    """Returns a lower-case word in one spelling; the same for its British and American forms."""
    if len(word) < 4 or not word.isalpha():
        return word
    for pattern, spelling in _BRITISH:
        word = pattern.sub(spelling, word)
    return word


def singular(word: str) -> str:
    """Returns a lower-case word without its plural ending."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _KEEP or len(word) < 4 or not word.isalpha():
        return word
    for ending, instead in (
        ("sses", "ss"),
        ("xes", "x"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("ies", "y"),
    ):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + instead
    if word.endswith(("oses", "ases", "eses", "yses", "ises")) and len(word) > 6:
        return word[:-2] + "is"
    if word.endswith("omas"):
        return word[:-1]
    if word[-1] == "s" and word[-2] not in "suia'":
        return word[:-1]
    return word
