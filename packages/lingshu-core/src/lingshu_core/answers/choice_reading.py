"""The ways in which plain text commits to one option, the firmest first."""

import re
from collections import deque
from collections.abc import Callable, Sequence

from lingshu_core.answers.cues import Cue, doubted, last_cues, sentence
from lingshu_core.answers.letters import letter_at
from lingshu_core.answers.option_text import OptionTexts, affirmed
from lingshu_core.answers.refusals import refused
from lingshu_core.answers.results import Parsed
from lingshu_core.answers.yes_no import yes_no_of

_BARE = re.compile(
    r"[\s()\[\]{}<>【】「」『』.,:;!|/~#_-]*(?:[0-9]{1,2}[.)]\s*)?"
    r"(?:(?:the )?(?:opt(?:ion|\.)?|choice|letter|answer|选项|答案)\s*)?[(\[]?"
    r"([A-Za-z])[\s()\[\]{}<>【】「」『』.,:;!。、|/~#_-]*(?:选项|项)?[。.]?",
    re.I,
)
_NOT = re.compile(
    r"\s*(?:clearly |definitely |probably |certainly )?(?:(?:is|was|are|would)?n't|not"
    r"|never)\s+(?:option |choice |the )?"
    r"[(\[]?(?:([A-Z])(?![A-Za-z]))?[)\]]?|\s*不(?:是|选|为)\s*(?:选项)?([A-Z])?",
    re.I,
)
_COULD = re.compile(r"\b(?:may|might|could|possibly|perhaps|maybe)\b|(?<![最很极较更])可能", re.I)
_BUT = re.compile(r"[\s,;.]*(?:but|rather|instead|it is|而是)\s*(?:rather|instead|is)?", re.I)
_CONCLUSION = re.compile(
    r"\b(?:it(?:'s| is| was| must be| should be| would be| has to be)|this is|that(?:'s| is)"
    r"|therefore|thus|hence|so|consequently|in conclusion|in summary|overall|finally|leav(?:es"
    r"|ing)(?: us with)?|leads? (?:me |us )?to|points? to(?:wards?)?|corresponds? to|match(?:es)?"
    r"|consistent with|favou?rs?|(?:i|we) (?:think|believe|guess|suspect|conclude|feel|prefer"
    r"|favou?r|mean)|my (?:best )?(?:guess|bet|vote|pick|choice)(?: is)?|lean(?:ing)?(?: towards?"
    r"| to)?|correct|is|be)\b|\bno,|因此|所以|故|综上|应该是|应为|就是|认为是?|考虑为?|确定是"
    r"|倾向于?|(?<![还不非也])是",
    re.I,
)
_PRAISED = re.compile(
    r"(?<![A-Za-z0-9+-])(?P<open>[(\[]?)([A-Z])[)\]]?[,.:]?\s?(?:选项|项)?\s?(?:(?:alone|only"
    r"|clearly|definitely)\s)?(?:is|was|would be|should be|must be|seems|appears(?: to be)?|looks"
    r"|remains|是|为|最|才是)\s?(?:(?:the|my|an?|clearly|most|indeed|therefore|likely|single|only"
    r"|very|also|definitely)\s)*(?:correct|right|best|answer|choice|appropriate|likely|accurate"
    r"|true|preferred|suitable|consistent|final|appropriate|probable|正确|对|答案|最佳|最合适"
    r"|最符合|最可能|符合|合适)|(?<![A-Za-z0-9+-])([A-Z])[)\]]?\s(?:(?:best|most (?:closely"
    r"|accurately|likely|clearly))\s)?(?:fits?|match(?:es)?|describes?|explains?|represents?"
    r"|corresponds?|suits?)\b|(?<![A-Za-z0-9+-])([A-Z])(?:选项|项)?(?:正确|最符合|最合适|最佳"
    r"|最可能|符合(?=题|[。,.!]|$))"
)
_MENTIONED = re.compile(
    r"\b(?i:option|choice|answer|letter|alternative)s?\s?[(\[]?([A-Z])(?![A-Za-z0-9'-])[)\]]?"
    r"|选项\s?[(\[]?([A-Z])(?![A-Za-z0-9])|(?<![A-Za-z0-9])([A-Z])\s?(?:选项|项)",
)
_NOT_BEFORE = re.compile(
    r"(?:\bnot|n't|\bnever|\bneither|\bnor|\bexcept|\bexclud\w+|\bthan|\beliminat\w+|\brul\w+ out"
    r"|\binstead of|\bunlike|不是?|排除|并非|而非|除了?)\s*(?:for\s+)?(?:the\s+)?$",
    re.I,
)
_NOT_AFTER = re.compile(
    r"[^.\n。;]{0,60}?(?:\bnot\b|n't\b|\bincorrect|\bwrong|\bunlikely|\bless\b|\bruled out"
    r"|\bexcluded|\beliminated|\bfalse\b|不|错|排除)",
    re.I,
)
_AFTER_TERM = re.compile(
    r"(?:vitamin|hepatitis|group|type|influenza|factor|protein|class|grade|stage|category|panel"
    r"|figure|fig\.|image|phase|arm|point|label(?:l?ed)?|view|lead|zone|segment|area|structure"
    r"|arrow|region|unit)s?\s*[(\[]?$",
    re.I,
)
_NONE_OF = re.compile(r"\b(?:none|neither|nor|not all)\b[^.\n]{0,30}$", re.I)
_LAST_AFTER_COMMA = re.compile(r",\s[(\[]?([A-Z])[)\]]?[.。]?$")
_STANDING = re.compile(r"(?<![A-Za-z0-9'-])[A-Z](?![A-Za-z0-9'-])")
_LAST = re.compile(r"(?:[.!?。:\n]|^)\s*[(\[]?([A-Z])[)\]]?\s*[.。]?$")
_LABEL_BEFORE = re.compile(r"(?:^|[^A-Za-z0-9])(?:[(\[]([A-Z])[)\]]|([A-Z])\s?[.):])[\s:,-]*$")
_LABEL_AFTER = re.compile(
    r"[)\].\"']{0,2}\s*[(\[]\s*(?:option|choice|answer|letter|选项)?\s*([A-Z])\s*[)\]]"
    r"|\s*[,:-]+\s*(?:(?:which is|that is|so|or)\s)?(?:option|choice|answer"
    r"|选项)\s?[(\[]?([A-Z])(?![A-Za-z0-9])"
    r"|\s*[,:-]+\s?[(\[]?([A-Z])[)\]]?\s*[.。]?\s*$",
    re.I,
)
_LINE_LABEL = re.compile(r"[(\[]?[A-Z](?:[)\].:、]|(?=\s))")
_SENTENCES = re.compile(r"[^.!?。\n]*(?:[.](?!\s|$)[^.!?。\n]*)*[.!?。\n]*")
_CONCLUDES = re.compile(
    r"\s*(?:therefore|thus|hence|so|in conclusion|overall|in summary|to conclude|consequently"
    r"|finally|taken together|based on|given|considering|因此|所以|综上|故|总之|最终)",
    re.I,
)
_GOES_ON = re.compile(
    r"\s*(?:and|or|also|alternatively|plus|possibly|maybe|perhaps|或|和|也)\b", re.I
)
_LETTER = re.compile(r"(?<![A-Za-z])[B-HJ-Z](?![A-Za-z])")
_REVISED = re.compile(
    r"\b(?:wait|actually|no,|correction|reconsider\w*|on reflection)|更正|不对", re.I
)

# So many of the last words of a kind are looked at: responses can be very long.
_MOST = 200
_SHORT = 300
# Announcements so far before the last still count as one list of answers.
_NEAR = 1000
Place = tuple[tuple[str, ...], int, int]
Reader = Callable[[str, OptionTexts], Parsed | None]


def read_choice(text: str, options: OptionTexts) -> Parsed:
    """Returns the option that a plain text commits to, or why none."""
    bare = _BARE.fullmatch(text) if len(text) < 40 else None
    if bare:
        letter = bare[1].upper()
        if letter in options.letters:
            return Parsed(letter, "letter")
        if not options.whole(text):
            return Parsed(None, "not_an_option")
    for reader in _READERS:
        found = reader(text, options)
        if found is not None:
            return found
    first = letter_at(text, 0, options, announced=True)
    return Parsed(None, refused(text) or (first.reason if first else "no_answer"))


def _whole(text: str, options: OptionTexts) -> Parsed | None:
    letters = options.whole(text)
    if len(letters) > 1:
        return Parsed(None, "several")
    if letters and text.endswith("?") and not options.raw[letters[0]].endswith("?"):
        return Parsed(None, "hedged")
    return Parsed(letters[0], "option_text") if letters else None


def _announced(text: str, options: OptionTexts) -> Parsed | None:
    """The last announcement counts, unless it belongs to a list of three or more options."""
    rejected: set[str] = set()
    for cue in last_cues(text):
        found = _at_cue(text, cue, options, rejected)
        if found is None:
            continue
        if found.value is None:
            return found
        if found.value in rejected:
            return Parsed(None, "negated")
        before = last_cues(text, max(0, cue.start - _NEAR), cue.start)
        others = (_at_cue(text, other, options, set()) for other in before)
        named = {other.value for other in others if other is not None} - {None, found.value}
        return Parsed(None, "several") if len(named) > 1 else found
    return None


def _at_cue(text: str, cue: Cue, options: OptionTexts, rejected: set[str]) -> Parsed | None:
    if doubted(text, cue.start):
        return None
    for tail in cue.tails:
        if _COULD.search(text, cue.start, tail):
            return Parsed(None, "hedged")
        negated = _NOT.match(text, tail, tail + 40)
        if negated:
            letter = (negated[1] or negated[2] or "").upper()
            turned = _BUT.match(text, negated.end(), negated.end() + 40)
            if turned is None:
                rejected.add(letter)
                return None
            tail = turned.end()
        found = letter_at(text, tail, options, announced=True)
        if found is None:
            found = _text_at(text, tail, options)
        if found is not None:
            return found
    if len(cue.tails) == 1 and not cue.act:
        return None
    said = sentence(text[cue.tails[0] : cue.tails[0] + 600])
    found = _by_text(said, options)
    if found is None and (refused(said) == "refusal" or said.lower() in {"unknown", "unclear"}):
        return Parsed(None, "refusal")
    return found


def _text_at(text: str, start: int, options: OptionTexts) -> Parsed | None:
    head = options.head(text, start)
    if head is None or len(head.letters) > 1:
        return None
    said = sentence(text[start : start + 600])
    return _by_text(said, options) or Parsed(head.letters[0], "option_text")


def _first_or_last(text: str, options: OptionTexts) -> Parsed | None:
    """A letter at the very beginning, or alone on the last line; they must not differ."""
    first = letter_at(text, 0, options)
    last = None
    cut = text.rstrip().rfind("\n")
    if cut >= 0:
        line, above = text[cut + 1 :].strip(), text[:cut].rpartition("\n")[2].strip()
        if _is_letter_line(line, options):
            if _is_letter_line(above, options) and line != above:
                return Parsed(None, "several")
            last = letter_at(line, 0, options)
    if first is not None and first.reason in {"negated", "hedged"}:
        first = None
    if first is None or last is None:
        return first or last
    return first if first == last or first.value is None else Parsed(None, "several")


def _is_letter_line(line: str, options: OptionTexts) -> bool:
    if _BARE.fullmatch(line[:60]):
        return True
    label = _LINE_LABEL.match(line) if len(line) < 1000 else None
    head = options.head(line, label.end()) if label else None
    return head is not None and not any(letter.isalnum() for letter in line[head.end :])


def _contradicted(text: str, options: OptionTexts) -> Parsed | None:
    """A short answer in which an option's text carries another letter is none."""
    if len(text) > _SHORT or not _mislabelled(text, options.occurrences(text), options):
        return None
    return Parsed(None, "contradiction")


def _concluded(text: str, options: OptionTexts) -> Parsed | None:
    """Letters after a word of conclusion or with praise; two that differ are no answer."""
    places: list[tuple[int, str]] = []
    for found in deque(_CONCLUSION.finditer(text), maxlen=_MOST):
        if text[found.end() : found.end() + 1] in {".", ";"}:
            continue
        read = letter_at(text, found.end(), options, announced=True)
        if read is None or doubted(text, found.end()):
            continue
        if read.reason == "several":
            return read
        if read.value:
            places.append((found.end(), read.value))
    for found in deque(_PRAISED.finditer(text), maxlen=_MOST):
        letter = next(filter(None, found.groups()[1:]))
        before = text[max(0, found.start() - 30) : found.start()]
        told = _AFTER_TERM.search(before) or _NONE_OF.search(before)
        if letter in options.letters and not told:
            places.append((found.start(), letter))
    return _only_or_last(text, places)


def _only_or_last(text: str, places: list[tuple[int, str]]) -> Parsed | None:
    if not places:
        return None
    places.sort()
    letters = {letter for _, letter in places}
    last_place, last = places[-1]
    if len(letters) > 1:
        others = [place for place, letter in places if letter != last]
        if not _REVISED.search(text, others[-1], last_place + 1):
            return Parsed(None, "several")
    return Parsed(last, "letter")


def _mentioned(text: str, options: OptionTexts) -> Parsed | None:
    """The one option that is named as such ("option B fits") and not turned down."""
    letters: set[str] = set()
    for found in deque(_MENTIONED.finditer(text), maxlen=_MOST):
        letter = next(filter(None, found.groups()))
        read = letter_at(text, found.start(found.lastindex or 0), options, announced=True)
        if read is not None and read.reason == "several":
            return read
        before = text[max(0, found.start() - 30) : found.start()]
        if letter not in options.letters or _NOT_BEFORE.search(before):
            continue
        if not _NOT_AFTER.match(text, found.end(), found.end() + 80):
            letters.add(letter)
    if len(letters) == 1 and not refused(text):
        return Parsed(letters.pop(), "letter")
    return Parsed(None, "several") if len(letters) > 1 else None


def _closing_letter(text: str, options: OptionTexts) -> Parsed | None:
    found = _LAST.search(text, max(0, len(text) - 12))
    if found is None and len(text) < 2000 and len(_STANDING.findall(text)) == 1:
        found = _LAST_AFTER_COMMA.search(text, max(0, len(text) - 12))
    near = {*_STANDING.findall(text, max(0, len(text) - 40))} & options.letters
    if found and len(near) == 1 and found[1] in options.letters and found.start() > 0:
        return Parsed(found[1], "letter")
    return None


def _by_text(text: str, options: OptionTexts) -> Parsed | None:
    """The one option whose text the response affirms."""
    if options.reading("yes") and options.reading("no") and not _LETTER.search(text):
        value = yes_no_of(text)
        if value is not None:
            return Parsed(options.reading(value)[0], "option_text")
    places = options.occurrences(text)
    if not places:
        return None
    if _mislabelled(text, places, options):
        return Parsed(None, "contradiction")
    stances = affirmed(text, places)
    held = [letter for letter, stance in stances.items() if stance == {"yes"}]
    if len(held) > 1:
        return _by_sentence(text, options)
    if held:
        return Parsed(held[0], "option_text") if _prominent(text, places, held[0]) else None
    mixed = any("yes" in stance for stance in stances.values())
    hedged = any("perhaps" in stance for stance in stances.values())
    return Parsed(None, "several" if mixed else "hedged" if hedged else "negated")


def _mislabelled(text: str, places: Sequence[Place], options: OptionTexts) -> bool:
    for letters, start, end in places:
        label = _LABEL_BEFORE.search(text, max(0, start - 10), start)
        label = label or _LABEL_AFTER.match(text, end, end + 40)
        letter = next(filter(None, label.groups()), "").upper() if label else ""
        if letter in options.letters and letter not in letters:
            return True
    return False


def _prominent(text: str, places: Sequence[Place], letter: str) -> bool:
    """Tells whether an option's text stands in one of up to three sentences, or first or last."""
    if len(text) > 20_000:
        return False
    ends = [found.end() for found in _SENTENCES.finditer(text) if found[0].strip()]
    if len(ends) <= 3:
        return True
    return any(
        start < ends[0] or end > ends[-2] for letters, start, end in places if letter in letters
    )


def _by_sentence(text: str, options: OptionTexts) -> Parsed:
    """Where several options are affirmed: a first sentence or a conclusion that names one."""
    if len(text) <= 20_000:
        parts = [found[0].strip() for found in _SENTENCES.finditer(text) if found[0].strip()]
        if len(parts) > 1:
            letters = options.whole(parts[0])
            more = _GOES_ON.match(parts[1]) or any(map(options.whole, parts[1:4]))
            if len(letters) == 1 and not more:
                return Parsed(letters[0], "option_text")
            if _CONCLUDES.match(parts[-1]):
                places = options.occurrences(parts[-1])
                stances = affirmed(parts[-1], places)
                held = [letter for letter, stance in stances.items() if stance == {"yes"}]
                if len(held) == 1:
                    return Parsed(held[0], "option_text")
    return Parsed(None, "several")


_READERS: tuple[Reader, ...] = (
    _whole,
    _announced,
    _first_or_last,
    _contradicted,
    _concluded,
    _mentioned,
    _closing_letter,
    _by_text,
)
