"""Questions with several right options: the set of letters that a response commits to."""

import re

from lingshu_core.answers.cues import last_cues
from lingshu_core.answers.option_text import OptionTexts, affirmed
from lingshu_core.answers.refusals import refused
from lingshu_core.answers.results import Parsed

_LINK = r"(?:\s*(?:[,、;/&+]|\band\b|和|及|与|以及)\s*(?:and\s+)?|\s+)"
_RUN = re.compile(
    r"[\s:=,.>-]{0,20}(?:(?i:options?|choices?|letters?|answers?|both|all of|the|are|is|of|选项|选"
    r"|为|是)[\s:]{0,5}){0,5}"
    rf"((?:[(\[]?(?<![A-Za-z])[A-Z](?![a-z'0-9])[)\].]?)(?:{_LINK}?[(\[]?[A-Z](?![a-z'0-9])[)\]]?){{0,25}})"
    r"\s*(?:选项|项|都?正确)?\s*(?=$|[\n.,;:。!)-]|\s(?:are|is|because|since|as)\b|因)"
)
_OR = re.compile(r"\s*(?:,\s*)?(?:or|或)\b\s*[(\[]?[A-Z]", re.I)
_LINE = re.compile(r"^[ \t]*[-•]?[ \t]*[(\[]?([A-Z])[)\].:、][ \t]*(.*)$", re.M)


def read_choices(text: str, options: OptionTexts) -> Parsed:
    """Returns all letters, in order, that a plain text commits to, or why none."""
    for cue in last_cues(text):
        for tail in cue.tails:
            found = _run(text, tail, options) or _lines(text[tail : tail + 4000], options)
            if found is not None:
                return found
    for start in (0, text.rfind("\n") + 1):
        found = _run(text, start, options)
        if found is not None:
            return found
    return _lines(text, options) or _texts(text, options)


def _run(text: str, start: int, options: OptionTexts) -> Parsed | None:
    found = _RUN.match(text, start, start + 400)
    if found is None:
        return None
    if _OR.match(text, found.end(), found.end() + 20):
        return Parsed(None, "several")
    letters = [character for character in found[1] if "A" <= character <= "Z"]
    if len(set(letters)) != len(letters):
        return None
    if not set(letters) <= options.letters:
        return Parsed(None, "not_an_option") if len(letters) == 1 else None
    own = options.head(text, found.end())
    if own is not None and len(letters) == 1:
        return None
    return Parsed("".join(sorted(letters)), "letter")


def _lines(text: str, options: OptionTexts) -> Parsed | None:
    """Reads lines that each begin with a letter and its own text."""
    letters: list[str] = []
    for line in _LINE.finditer(text):
        head = options.head(line[2], lead_in=False)
        if head is None or line[1] not in head.letters or line[2][head.end :].strip(" .;,"):
            return None
        letters.append(line[1])
    if not letters or len(set(letters)) != len(letters):
        return None
    return Parsed("".join(sorted(letters)), "letter")


def _texts(text: str, options: OptionTexts) -> Parsed:
    places = options.occurrences(text)
    stances = affirmed(text, places)
    held = sorted(letter for letter, stance in stances.items() if stance == {"yes"})
    if held and not re.search(r"\bor\b|或", text):
        return Parsed("".join(held), "option_text")
    return Parsed(None, "several" if held else refused(text) or "no_answer")
