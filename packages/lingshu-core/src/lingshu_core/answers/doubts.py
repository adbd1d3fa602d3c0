"""Short answers that name an answer without committing to it: `yes in theory`, `B, although C`."""

import re

_SHORT = 100
_POLAR = (
    r"(?:(?P<yes>yes|yep|yeah|yup)|(?P<no>no|nope|nah))\b"
    # `No` before a noun denies the thing, not the question.
    r"(?(no)(?=\s*(?:[^\w\s]|$)|\s+(?:and|or|but|is|was|would|for|in|on|at|if|when|unless|to"
    r"|that|maybe|perhaps|yes)\b|\s+(?:more|less) than\b))"
)
_WORD = re.compile(rf"\b{_POLAR}", re.I)
_TURN = re.compile(r"\b(?:wait|actually|rather|correction|sorry|on reflection|i mean)\b", re.I)
_SAID = r"(?:say|saying|answer|answering|claim|state|reply|replying|conclude|call it)"
_ANY = r"[\W_]{1,3}(?:an? |the |with |that it is )?[\"'(]?(?:yes|no)\b"
_DISOWNED = re.compile(
    rf"\b(?:wrong|incorrect|false|mistaken?|error|(?:not|never|cannot|hardly)|\w+n't)"
    rf"(?: \w+){{0,3}}? {_SAID}{_ANY}"
    rf"|{_SAID}{_ANY}\W{{1,3}}(?:is|was|would be)(?: an?| the)?"
    r" (?:wrong|incorrect|false|mistake|error)"
    rf"|\b(?:neither|opposite(?: of| to)?|contrary(?: of| to)?|anything but|far from){_ANY}"
    r"|^\W*(?:not|never) (?:an? |the )?[\"']?(?:yes|no)\b(?!\W*$|,)",
    re.I,
)
_NOT_A = re.compile(r"^\W*(?:not|never) (?:an? |the )?[\"']?(?:yes|no)\W*$", re.I)
_PERHAPS = re.compile(
    r"\b(?:can|could|may|might|perhaps|maybe|possibly|sometimes)\b(?: \w+){0,2} (?:yes|no)\b"
    r"|\b(?:yes|no)\b\W{1,3}(?:(?:or|and|but) )?(?:maybe|perhaps|possibly|sometimes|in theory"
    r"|in principle|or not|unless|except|until)\b"
    r"|\b(?:half|almost|nearly|partly|partially|barely) (?:an? )?(?:yes|no)\b"
    r"|\b(?:yes|no) (?:for|in|on|at)\b[^.;]*\bnot (?:for|in|on|at)\b",
    re.I,
)
_LETTER = re.compile(
    r"(?<![A-Za-z0-9'-])(?:[B-HJ-Z]|A(?! [a-z])|A(?= (?:is|was|fits|may|might|could|would"
    r"|seems|equally|also)\b))(?![A-Za-z0-9'-])"
)
_SET_ASIDE = re.compile(
    r"(?:\bnot|n't|\bnever|\bneither|\bnor|\bthan|\binstead of|\bunlike|\bexclud\w+|\brul\w+ out"
    r"|\beliminat\w+|\bover|\bagainst)\s+(?:(?:option|choice|letter|the)\s+)*[(\[]?$",
    re.I,
)
_TURNED = re.compile(rf"{_TURN.pattern}|\banswers?\b|\btherefore\b", re.I)
_JOINED = re.compile(
    r"\b(?:but|although|though|however|unless|except|while|whereas|yet|if|or)\b|[=<>]"
)


def doubted_word(text: str) -> str:
    """Returns why a short plain answer with a yes or a no in it commits to neither, else "".

    `several` where it says both without taking one back, `negated` where it disowns the word,
    `hedged` where it makes it possible only. A long text is not judged: there it may be a thought
    on the way to an answer.
    """
    if len(text) >= _SHORT:
        return ""
    if _DISOWNED.search(text) or _NOT_A.search(text):
        return "negated"
    if _PERHAPS.search(text):
        return "hedged"
    said = {found.lastgroup for found in _WORD.finditer(text)}
    return "several" if len(said) > 1 and not _TURN.search(text) else ""


def second_letter(text: str, letter: str, letters: frozenset[str]) -> bool:
    """Tells whether a short answer weighs another option's letter against the one it names."""
    if len(text) >= _SHORT or not _JOINED.search(text) or _TURNED.search(text):
        return False
    return any(
        found[0] != letter and found[0] in letters and not _SET_ASIDE.search(text[: found.start()])
        for found in _LETTER.finditer(text)
    )
