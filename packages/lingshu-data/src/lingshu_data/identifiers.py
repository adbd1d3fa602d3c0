"""Words that name a person or a place to reach one, found by rules.

Rules see what has a form: addresses, numbers, titles before names, signatures. A bare name in a
sentence escapes them; that is what the rewriting by a model is for (paper, appendix A.1).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_NAME = r"[A-Z][a-z'\u2019-]+(?:\s+(?:[A-Z]\.\s*)?[A-Z][a-z'\u2019-]+){0,2}"
_NO_NAME = (
    r"(?!(?:The|This|That|I|You|We|It|Please|Thank|Thanks|Hope|Hello|Hi|Google|Who|No|Bye|Um|Uh|"
    r"God|Doctor)\b)"
)
"""Words with a capital that follow a title or a greeting and are no name."""

RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"\b[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)+\b")),
    ("address on the web", re.compile(r"\bhttps?://\S+|\bwww\.\S+", re.IGNORECASE)),
    ("social security number", re.compile(r"\b\d{3}-\d{2}-\d{4}\b")),
    # Before telephones, which are found in the middle of it: cards, and accounts as IBAN has them.
    (
        "account number",
        re.compile(
            r"(?<![\w.-])(?:[A-Z]{2}\d{2}[ -]?)?\d{4}([ -]?)\d{4}\1\d{4}\1\d{1,7}"
            r"(?:\1\d{1,4}){0,2}(?![\w-])"
        ),
    ),
    (
        "telephone",
        re.compile(
            r"(?<![\w.-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\d{2,4}[ .-])\d{3,4}[ .-]\d{3,4}"
            r"(?![\w-])|(?<![\w.])\+\d{10,13}\b"
        ),
    ),
    (
        "record number",
        re.compile(
            r"\b(?:MRN|medical record(?: number)?|patient (?:id|number)|case (?:no|number))\b"
            r"[\s.:#]*[A-Z]?\d[\w-]{3,}",
            re.IGNORECASE,
        ),
    ),
    (
        "date of birth",
        re.compile(
            r"\b(?:d\.?o\.?b\.?|date of birth|born on)\W*(?:is\s+|the\s+)*(?:"
            r"\d{1,4}[./-]\d[\d./-]+|"
            r"\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?[a-z]+,?\s+\d{4}|[a-z]+\s+\d{1,2}\w{0,2},?\s+\d{4})",
            re.IGNORECASE,
        ),
    ),
    (
        "name of a physician",
        re.compile(
            rf"\b(?:Dr|Doctor|Prof|Professor)\b\.?\s+(?:(?:Dr|Prof)\.?\s+)?{_NO_NAME}(?P<name>{_NAME})"
        ),
    ),
    (
        "name of a person",
        re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Madam|Sir)\b\.?\s+{_NO_NAME}(?P<name>{_NAME})"),
    ),
    (
        "name of a person",
        re.compile(
            rf"\b(?:[Mm]y name is|[Tt]his is|I am|I'm)\s+(?:Dr\.?\s+)?{_NO_NAME}(?P<name>{_NAME})"
            r"(?=\s*[,.!;]|\s+(?:from|and|here|answering)\b|$)"
        ),
    ),
    (
        "signature",
        re.compile(
            r"\b(?:[Rr]egards|[Ss]incerely|[Tt]hanks|[Yy]ours truly|[Bb]est wishes)\s*[,.!]*\s*"
            rf"{_NO_NAME}(?P<name>(?:Dr\.?\s+)?{_NAME})[ .]*(?:$|\n)"
        ),
    ),
    ("forum", re.compile(r"\b(?:Health\s?Care\s?Magic|i?[Ii]?[Cc]liniq|ChatDoctor|Chat Doctor)\b")),
    (
        "street",
        re.compile(
            r"\b\d{1,5}\s+(?:[A-Z][a-z]+\s+){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Drive|Blvd)\b\.?"
        ),
    ),
)
"""What each rule finds, and how; of a rule with a group `name` that part alone is replaced."""


class Found(NamedTuple):
    """One identifier in a text."""

    kind: str
    start: int
    end: int


def identifiers(text: str) -> list[Found]:
    """Returns the identifiers of a text from left to right; the first rule wins a place."""
    found: list[Found] = []
    for kind, rule in RULES:
        for match in rule.finditer(text):
            group = "name" if "name" in rule.groupindex else 0
            place = Found(kind, match.start(group), match.end(group))
            if all(place.end <= other.start or place.start >= other.end for other in found):
                found.append(place)
    return sorted(found, key=lambda item: item.start)


def replaced(text: str) -> tuple[str, list[str]]:
    """Returns a text with `[kind]` for each identifier, and the kinds."""
    found = identifiers(text)
    return "".join(_pieces(text, found)), [item.kind for item in found]


def _pieces(text: str, found: list[Found]) -> Iterator[str]:
    end = 0
    for item in found:
        yield text[end : item.start]
        yield f"[{item.kind}]"
        end = item.end
    yield text[end:]
