"""Words with which a response announces its answer: "the answer is", "I would choose", 答案为."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from lingshu_core.answers.cleaning import lowered, plain
from lingshu_core.answers.tags import marked

# Without a flag for case, and with one word boundary in front of all: several times faster. The
# text is searched in lower case.
_CUE = re.compile(
    r"\b(?:(?:answers?|ans|respuesta|réponse|antwort|resposta|risposta|ответ)\b(?!\s+options?\b)"
    r"|(?:my|final|correct|right|best|selected|chosen|appropriate|suitable)\s+(?:choice|option"
    r"|selection|pick|guess|response|conclusion|decision|verdict|letter|alternative)s?\b"
    r"|(?P<act>(?:(?:i|we|would|i'd|i'll|i've|i'm|will|should|must|to|let's|have)\s"
    r"(?:choose|chose|chosen|choosing|pick|picking|picked|select|selected|say|answer|opt\sfor"
    r"|opted\sfor|vote\sfor|settle\son|go\swith|going\swith|went\swith)"
    r"|(?:choose|choosing|select|selecting|selected|going\swith|go\swith|opt\sfor|pick|picking"
    r"|vote\sfor)(?=:?\s(?:(?:the\s)?(?:option|choice|answer|letter)\s)?[(\[]?[a-z][)\]]?"
    r"(?![a-z])))\b(?!\s{0,9}:\s{0,9}$)))"
    r"|^\W{0,4}(?:(?:final|my|the)\s)?(?:conclusion|verdict|result|output|response|solution|choice"
    r"|selection|prediction|decision|diagnosis|impression)\b(?=\W{0,3}:)"
    r"|^\s{0,9}(?:答|选项|选择)(?=\s?:)|答案|正解|正确的?(?:选项|选择)"
    r"|(?P<pick>选[择取定了]?的?是?(?=\s?:?\s?[(\[【]?[a-z](?![a-z])))",
    re.M,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|becomes|remains|equals|es|est|ist)\b|(?<=answer)'s\b|[:=]"
    r"|(?:应该|应当|应|就|便)?(?<![不非能])(?:是|为|选择|选|即)(?!项)",
    re.I,
)
_WINDOW = 100
_VERBS = 4
_LAST = 40
_PIECE = 2000
_OVERHANG = 80
_STOP = re.compile(r"[\n!?;。]|\.(?=\s|$)")
_REFUSED = re.compile(
    r"(?:\bnot|n't|\bnever|\bcannot|\bneither|\bnor|不|别|没)\s*(?:\w{1,12}\s+)?$", re.I
)
_OF_NO_ACCOUNT = re.compile(r"\b(?:wrong|incorrect|false|another|other|possible)\s$|错误的?$", re.I)
_NO_CONTENT = re.compile(
    r"\s*(?:based|consistent|supported|derived|clear|obvious|found|given|determined|explained"
    r"|because|in line|correct|wrong|incorrect|right|as follows|provided|shown|below|above"
    r"|among|within|one of|also)\b(?!\s+(?:lung|side|kidney|lobe|breast|atri|ventric|eye|ear"
    r"|hand))",
    re.I,
)
_CLAUSE = re.compile(r"[.,;:!?\n。]|\b(?:but|however|although|though|yet|then|so)\b|但是?", re.I)
_DENIAL = re.compile(
    r"\b(?:not|never|cannot|neither|nor|whether|hardly|except|unless|wrong|incorrect)\b|n't\b"
    r"|不(?:是|选|应|会|能|认为|觉得)|并非|而非|排除|是否|除了",
    re.I,
)
_HEDGED = re.compile(
    r"\b(?:may|might|could|maybe|perhaps|possibly|either)\b|(?<![最很极较更])可能|也许|或许", re.I
)
_NEGATED = re.compile(
    r"\s*(?:clearly |definitely |probably |certainly )?(?:not|n't|never)\b|\s*不", re.I
)
_DOT = re.compile(r"\.(?=\s|$)|[\n。!?]")
_BEGINNING = re.compile(r"(?:[\s:=,]|-(?![0-9]))+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:dr|st|vs|approx|ca|mr|mrs|ms|fig|no|e\.g|i\.e|cf|spp?|var|subsp|etc)|\b[a-z])$", re.I
)


@dataclass(frozen=True, slots=True)
class Cue:
    """One place where a response announces an answer."""

    start: int
    """Where the announcing words begin."""
    tails: tuple[int, ...]
    """Where the announced answer may begin, the likeliest first."""
    act: bool
    """It is a verb of choosing, not the word answer."""


def last_cues(text: str, begin: int = 0, end: int | None = None) -> Iterator[Cue]:
    """Yields the announcements in a plain text or a part of it, the last first, at most forty.

    Negated choosing ("I would not choose") is none. The text is read from its end in pieces, so
    that a long one is read no further than it is asked for.
    """
    left, end = _LAST, len(text) if end is None else end
    lower = lowered(text)
    while end > begin and left > 0:
        start = max(begin, end - _PIECE)
        reach = min(len(text), end + _OVERHANG)
        places = [found for found in _places(lower, start, reach) if found.start() < end]
        for found in reversed(places[-left:]):
            cue = _cue(text, found)
            if cue is not None:
                yield cue
        left -= len(places)
        end = start


@lru_cache(maxsize=2)
def _places(lower: str, start: int, end: int) -> tuple[re.Match[str], ...]:
    """Returns all announcements in a piece; a short text is asked for those before the last too."""
    return tuple(_CUE.finditer(lower, start, end))


def _cue(text: str, found: re.Match[str]) -> Cue | None:
    end = found.end()
    if found["act"] or found["pick"]:
        refused = _REFUSED.search(text, max(0, found.start() - 30), found.start())
        return None if refused else Cue(found.start(), (end,), act=True)
    if _OF_NO_ACCOUNT.search(text, max(0, found.start() - 14), found.start()):
        return None
    stop = _STOP.search(text, end, end + _WINDOW)
    limit = stop.start() if stop else min(len(text), end + _WINDOW)
    verbs = [verb.end() for verb in islice(_VERB.finditer(text, end, limit), _VERBS)]
    return Cue(found.start(), (*verbs, end), act=False)


def doubted(text: str, place: int) -> str:
    """Returns `negated` or `hedged` where the clause that leads to a place says so, else ""."""
    before = text[max(0, place - 80) : place]
    cut = 0
    for cut_at in _CLAUSE.finditer(before):
        cut = cut_at.end()
    if _DENIAL.search(before, cut):
        return "negated"
    return "hedged" if _HEDGED.search(before, cut) else ""


def sentence(text: str) -> str:
    """Returns the first sentence of a text without its full stop, or its first line if shorter.

    A full stop after a single letter (`E. coli`, `B. text`) or an abbreviation ends nothing.
    """
    text = _BEGINNING.sub("", text, count=1) if _BEGINNING.match(text) else text
    for dot in _DOT.finditer(text):
        end = dot.start()
        if dot[0] == "." and _ABBREVIATION.search(text, max(0, end - 8), end):
            continue
        if text[:end].strip():
            return text[:end].strip()
    return text.strip().rstrip(".。")


def announced(text: str) -> str | None:
    """Returns what the last announcement of a plain text commits to, or None without one."""
    for cue in last_cues(text):
        for tail in cue.tails:
            heading = cue.act or tail != cue.tails[-1] or text[tail : tail + 1] == "\n"
            words = text[tail : tail + 2000]
            if not heading or _NEGATED.match(words) or _NO_CONTENT.match(words):
                continue
            said = sentence(words)
            if any(letter.isalnum() for letter in said):
                return said
    return None


def final_answer(response: str) -> tuple[str, str]:
    r"""Returns the committed part of a response as plain text, and how it was found.

    Thinking is dropped, then the last `<answer>`, `\boxed{}` or JSON answer is opened, then the
    last announcement ("the answer is …") is followed to the end of its sentence. The reason is
    `answer_tag`, `boxed`, `json`, `phrase` or `whole`; where nothing is committed the text is
    empty and the reason `empty` or `unclosed_think`.
    """
    text, how = marked(response)
    text = plain(text)
    said = announced(text)
    if said is not None:
        return said, "phrase" if how == "whole" else how
    return (text, how) if text or how in {"empty", "unclosed_think"} else ("", "empty")
