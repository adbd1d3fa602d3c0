"""Reading an option's letter at one place of a response."""

import re

from lingshu_core.answers.option_text import Head, OptionTexts
from lingshu_core.answers.results import Parsed
from lingshu_core.answers.vocabulary import longest_first, word_set

_LEAD = re.compile(
    r"[\s:=,.>#|~、】\]-]{0,40}(?:(?:(?:that|it|it'?s|this|the|is|be|was|would|must|should|will"
    r"|has to be|in my opinion|probably|likely|most|definitely|clearly|certainly|simply|just"
    r"|therefore|thus|indeed|actually|now|still|then|only|to be|got to be|given by|as follows"
    r"|following|correct|right|best|single|final|one|answers?|choice|option|opt\.?|letter"
    r"|alternative|selection|number|labell?ed|with|by|ans\.?|so|hence)(?![A-Za-z])|(?:应该|应当|应"
    r"|就|便|是|为|选择|选项|选|第|答案"
    r"|即))[\s:=,]{0,9}){0,9}(?P<open>[(\[{【「『<]\s?)?(?:(?:option|choice"
    r"|选项)\s?)?(?P<letter>[A-Za-z])(?P<close>\s?[)\]}】」』]|(?(open)>"
    r"|(?!)))?(?![A-Za-z0-9_²³°%])(?!'[A-Za-z])",
    re.I,
)
_END = (
    r"\s*$|\s?[【「]|\s*[,:;!、。)\]|]|\s*\.(?=[\s)\"]|$)|\.(?=[A-Z][a-z]|[\u3400-\u9fff])|\s*\n"
    r"|\s-\s|\s=\s|\s(?:because|since|due|as|based|rather|instead|not|and|or)\b|\s?(?:选项|项|因"
    r"|。|与|和|或|及|对(?![比于照]))"
)
_VERBS = r"\s(?:is|was|would|must|should|seems|appears|looks|fits|matches)\b|\s?(?:是|为|正确|符合)"
_MORE = (
    r"\s?\(|\s(?:i (?:think|believe|guess)|definitely|probably|obviously|for|where|by|given|which"
    r"|although|though|but)\b"
)
_FOLLOW = {
    announced: re.compile(f"{_END}|{_MORE}" + (f"|{_VERBS}" if announced else ""), re.I)
    for announced in (False, True)
}
_FOLLOW_ARTICLE = {
    announced: re.compile(_END + (f"|{_VERBS}" if announced else ""), re.I)
    for announced in (False, True)
}
_FOLLOW_PRONOUN = re.compile(
    r"\s*$|\s*[)\]:。;]|\s*\.(?=\s|$)|\s*\n|\s-\s|\s?(?:选项|项)"
    r"|,?\s?(?:because|since|not|rather|instead|因|不是)"
    r"|\s(?:and|or)\s[(\[]?[A-Z](?![A-Za-z'])",
    re.I,
)
_SPECIES = re.compile(
    r"\.\s?(?:" + "|".join(longest_first(word_set("options", "species"))) + r")\b"
)
_FOLLOW_LOWER = re.compile(r"\s*$|\s*[,)\]:;。、]|\s*\.(?=\s|$)|\s*\n|\s(?:because|since|or|and)\b")
_ENDED = re.compile(r"[\s.)]*")
"""What takes nothing back: each pattern that does needs a word, a comma or a question mark."""
_ASKED = re.compile(r"\s*[)\]]?\s*\?")
_REJECTED = re.compile(
    r"[\s).:]{0,4}(?:选项|项)?\s?(?:is|was|can|seems|looks|would be|should be|are)?\s?"
    r"(?:n't\b|not\b|incorrect|wrong|unlikely|less likely|ruled out|excluded|false|eliminated"
    r"|can be (?:ruled out|excluded|eliminated)|不(?:正确|对|是|符合|选)|错误)",
    re.I,
)
_ALL_REJECTED = re.compile(
    r"(?:[ ,、;/&]{1,3}(?:(?:and|or|和|及|与)\s?)?[A-Z](?![A-Za-z])){1,25}\s?(?:选项|项)?\s?"
    r"(?:(?:are|is|can be|都|均|皆|全)\s?)?(?:(?:all|both|also)\s)?"
    r"(?:wrong|incorrect|not\b|ruled out|excluded|eliminated|unlikely|错|不)"
)
_OR_ELSE = re.compile(r"[\s.)]{0,3},?\s?(?:or\b|或|还是)\s*")
_CONTRAST = re.compile(
    r"[\s,;(]{0,4}(?:and |but )?(?:(?:not|rather than|instead of|over|unlike)\b|而不是|而非|不是)",
    re.I,
)
_ANOTHER = re.compile(
    r"[\s).:]{0,3}(?:[,;/&+、|<>]|\band\s?/\s?or\b|\band\b|\bor\b|\bplus\b|\bas well as\b|或者?"
    r"|还是|和|及|与|以及|\s(?=[(\[]?[A-Z][)\]]?\s*(?:[\n,]|$)))[\s,]{0,3}(?:(?:also|maybe"
    r"|possibly|perhaps|either|even|both|or|and|option|choice|letter)\s"
    r"|选项\s?)*[(\[]?([A-Za-z])[)\]]?(?![A-Za-z0-9'_])",
    re.I,
)
_LISTED = re.compile(r"[\s).:;,]{0,9}[(\[]?([A-Z])[)\].:、]")
_PAIRED = re.compile(r"\s?[/&+|]\s?[(\[]?([A-Z])(?![A-Za-z])")
_RATED = re.compile(r"[^\n]{0,60}?[,;]\s{0,3}([A-Z])\s?[:=]\s")
_SERIES = re.compile(r"[\s).:;,]{1,4}[(\[]?([A-Z])[)\].:](?=\s*$|\s{0,3}[(\[]?[A-Z][)\].:])")
_ALONE = re.compile(r"[\s.,)]*?\n\s*[(\[]?([A-Z])[)\].]?\s*(?:\n|$)")
_ALSO = re.compile(
    r"\b(?:or|alternatively|possibly|perhaps|maybe|also|either)\s*,?\s*(?:could be |it could be "
    r"|option |choice |maybe |possibly )?[(\[]?([A-Z])[)\]]?(?=\s*[.,;!?)\n]|\s(?:is|could|may"
    r"|might|as)\b|\s*$)|(?<![A-Za-z0-9-])([A-Z])[)\]]?\s(?:is|are|may be|might be|could be|can be"
    r"|could|would be|seems)\s(?:also|equally|possible|as well|too|plausible)\b"
    r"|[也亦](?:可能)?(?:是|选|可以?选?)\s?([A-Z])"
)
_ALTERNATIVE = re.compile(r"[\s.)]{0,3}(?:,?\s*\b(?:or|and/or|and|/)\b|\s?[/或和])\s*")


def letter_at(
    text: str, start: int, options: OptionTexts, *, announced: bool = False
) -> Parsed | None:
    """Returns what stands at a place of a plain text, after linking words; None if no letter does.

    After an announcement ("the answer is") a verb may follow the letter; at the beginning of a
    text it may not, for "B is plausible" commits to nothing.

    A value of None with a reason is a letter that is no answer: `several`, `negated`, `hedged`,
    `contradiction`, `not_an_option`.
    """
    found = _LEAD.match(text, start, start + 200)
    if found is None:
        return None
    written, end = found["letter"], found.end()
    letter = written.upper()
    if _is_term(text, found, options):
        return None
    if written == "A" and _is_titled(text, end, options):
        return Parsed(None, "contradiction")
    own = options.head(text, end)
    if own is not None and _reads_as_letter(own, options):
        labelled = letter in own.letters and text[end : end + 1] in {".", ")", ":"}
        own = own if labelled else None
    is_own = own is not None and letter in own.letters
    if own is not None and not is_own and own.closed and text[end:].lstrip().startswith("("):
        return Parsed(None, "contradiction")
    if not is_own and not _stands_alone(text, found, announced):
        paired = _PAIRED.match(text, end, end + 8)
        both = paired and {letter, paired[1]} <= options.letters
        return Parsed(None, "several") if both else None
    if letter not in options.letters:
        if options.whole(written):
            return None
        lone = letter not in "AI" or found["close"] or not text[end:].strip(" .\n")
        return Parsed(None, "not_an_option") if lone else None
    if own is not None and not is_own and own.closed:
        return Parsed(None, "contradiction")
    rest = own.end if own is not None and is_own else end
    return _unless_taken_back(text, rest, letter, written.islower(), options)


def _reads_as_letter(own: Head, options: OptionTexts) -> bool:
    return any(options.raw[letter].upper() in options.letters for letter in own.letters)


def _is_term(text: str, found: re.Match[str], options: OptionTexts) -> bool:
    """Tells a letter that begins an option's text or a species (`E. coli`)."""
    if found["open"]:
        return False
    if _SPECIES.match(text, found.end(), found.end() + 30):
        return True
    head = options.head(text, found.start("letter"), lead_in=False) if options.initials else None
    return head is not None and head.end > found.end()


def _is_titled(text: str, end: int, options: OptionTexts) -> bool:
    """Tells `A Edema`, all of an answer, where B is the edema: no article stands so."""
    if text[end : end + 1] != " " or not text[end + 1 : end + 2].isupper():
        return False
    head = options.head(text, end + 1, lead_in=False)
    if head is None or "A" in head.letters or text[head.end :].strip(" ."):
        return False
    return text[end + 2 : end + 3].islower()


def _stands_alone(text: str, found: re.Match[str], announced: bool) -> bool:
    """Tells a letter from an article, a pronoun or the beginning of a term (`B cell`)."""
    if found["close"]:
        return bool(found["open"]) or found["letter"].isupper() or found["letter"] not in "ai"
    written, end = found["letter"], found.end()
    if written.islower():
        follow = _FOLLOW_PRONOUN if written == "i" else _FOLLOW_LOWER
    else:
        follow = (_FOLLOW_ARTICLE if written == "A" else _FOLLOW)[announced]
        follow = _FOLLOW_PRONOUN if written == "I" else follow
    return bool(follow.match(text, end, end + 40)) or bool(_ASKED.match(text, end, end + 10))


def _unless_taken_back(
    text: str, end: int, letter: str, lower: bool, options: OptionTexts
) -> Parsed:
    """Returns the letter, unless what follows asks, rejects or adds a second answer."""
    if _ENDED.fullmatch(text, end):
        return Parsed(letter, "letter")
    if _ASKED.match(text, end, end + 10):
        return Parsed(None, "hedged")
    if _CONTRAST.match(text, end, end + 30):
        return Parsed(letter, "letter")
    if _REJECTED.match(text, end, end + 40) or _ALL_REJECTED.match(text, end, end + 90):
        return Parsed(None, "negated")
    if _second_letter(text, end, letter, lower, options) or _second_text(
        text, end, letter, options
    ):
        return Parsed(None, "several")
    return Parsed(letter, "letter")


def _second_letter(text: str, end: int, letter: str, lower: bool, options: OptionTexts) -> bool:
    for pattern in (_ANOTHER, _ALONE, _SERIES, _RATED):
        found = pattern.match(text, end, end + 80)
        if found and (found[1].isupper() or lower) and _other(found[1], letter, options):
            return True
    found = _LISTED.match(text, end, end + 30)
    if found and _other(found[1], letter, options):
        head = options.head(text, found.end())
        if head and found[1] in head.letters and ord(found[1]) == ord(letter) + 1:
            return not _REJECTED.match(text, head.end, head.end + 40)
    stop = text.find("\n", end, end + 160)
    near = text[end : stop if stop >= 0 else end + 160]
    return any(
        _other(next(filter(None, also.groups())), letter, options) for also in _ALSO.finditer(near)
    )


def _other(written: str, letter: str, options: OptionTexts) -> bool:
    return written.upper() != letter and written.upper() in options.letters


def _second_text(text: str, end: int, letter: str, options: OptionTexts) -> bool:
    found = _ALTERNATIVE.match(text, end, end + 12)
    head: Head | None = options.head(text, found.end()) if found else None
    if head is not None:
        return letter not in head.letters
    return _OR_ELSE.match(text, end, end + 12) is not None
