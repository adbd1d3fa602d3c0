"""Where the texts of the options stand in a response, and whether they are affirmed there."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, islice
from typing import NamedTuple

from lingshu_core.answers.cleaning import is_ordinary, plain, unify
from lingshu_core.answers.vocabulary import word_set
from lingshu_core.answers.words import american

_TOKEN = re.compile(
    r"[^\W\d_\u3400-\u9fff]++[0-9][^\W_\u3400-\u9fff]*"
    r"|[0-9]+(?:,[0-9]{3}(?![0-9]))*(?:\.[0-9]+)?|[\u3400-\u9fff]"
    r"|[^\W\d_\u3400-\u9fff]+(?:'[^\W\d_\u3400-\u9fff]+)*|[<>≤≥%+↑↓↔]|(?<![\w.])-(?=[0-9])"
)
_ASCII_TOKEN = re.compile(
    r"[A-Za-z]++[0-9][A-Za-z0-9]*|[0-9]+(?:,[0-9]{3}(?![0-9]))*(?:\.[0-9]+)?"
    r"|[A-Za-z]+(?:'[A-Za-z]+)*|[<>%+]|(?<![\w.])-(?=[0-9])",
    re.ASCII,
)
"""The same words where every character is ASCII; it is quicker."""
_LINE_BEGINS = re.compile(rf"^[^\n]*?({_ASCII_TOKEN.pattern})", re.ASCII | re.M)
_NONE = re.compile(
    r"\b(?:none|neither) of (?:the |these |those )?(?:above|options|choices|following|listed"
    r"|answers|given|provided|other|others|alternatives|these|those|them)(?: (?:options|choices"
    r"|answers|above|listed|given|provided))*|以上(?:选项)?(?:都|均|皆|全)?(?:不|非|没有?)(?:是|对"
    r"|正确)?|(?:都|均|皆)不(?:是|对|正确)",
    re.I,
)
_ALL = re.compile(
    r"\ball (?:of )?(?:the |these |those )?(?:above|options|choices|following|listed|answers|these"
    r"|those)(?: (?:options|choices|answers|above))*|以上(?:选项)?(?:全部?|都|均|皆)(?:是|对"
    r"|正确)?|全部正确|(?:都|均|皆)(?:是|正确)",
    re.I,
)
_COLLECTIVE = re.compile(r"\b(?:(?:none|neither) of|all )")
"""What `_NONE` and `_ALL` begin with, where every character is ASCII."""
_BREAK = re.compile(r"\.(?=\s|$)|[!?;\n。]|\b(?:but|however|although|though|yet)\b|但是?|而是")
_SENTENCE = re.compile(r"\.(?=\s|$)|[!?\n。]")
_NO_NEGATION = re.compile(
    r"\bno (?:doubt|question)\b|\bwithout (?:a |any )?doubt\b|\bnot only\b|毫无疑问|无疑|不仅", re.I
)
_NEGATION_BEFORE = re.compile(
    r"\b(?:no|not|without|absen\w+|never|neither|nor|den(?:y|ies)|exclud\w+|rul(?:e|es|ed|ing) out"
    r"|unlikely|less likely|instead of|rather than|unlike|other than|than|versus|vs|opposed to"
    r"|negative for|free of|doubt\w*|eliminat\w+|cannot|lack(?:s|ing)?|differ\w* from|mimic\w*"
    r"|against|incorrect|wrong|non)\b|n't\b|[不无非未没]|排除|除外",
    re.I,
)
_ALL_BUT = re.compile(r"\b(?:any\w*|every\w*|all) (?:but|except|save|apart from)\b", re.I)
_HEDGE_BEFORE = re.compile(
    r"\b(?:may|might|could|possibl[ey]|maybe|perhaps|whether|if|consider\w*|unclear|unsure"
    r"|uncertain|either)\b|(?<![最很极较更])可能|也许|或许|是否|如果",
    re.I,
)
_NEGATION_AFTER = re.compile(
    r"[^,.;。\n]{0,40}?\b(?:not|unlikely|excluded|absent|ruled out|incorrect|wrong|less likely"
    r"|improbable|doubtful|never|cannot|rejected|refuted|dismissed|discarded|spared"
    r"|uninvolved|eliminated|would(?! be)|may|might|could|possible)\b"
    r"|[^,.;。\n]{0,40}?n't\b|[^,.;。\n]{0,8}?(?:不(?:太|大|能|像|是|符|支持|考虑|正确|对|成立"
    r"|可能)|排除|可能性(?:小|低|较小|较低|不大))",
    re.I,
)
_FUNCTION_WORDS = word_set("options", "function")
_AT_END = re.compile(r"[ \t]*(?:$|[\n.!?,;:()/\]。-]|(?:or|and|to|is|option)\b|或|和)", re.I)
_DIGIT = re.compile(r"[0-9]")
_MORE_LETTERS = re.compile(r"\s?(?:/|&|\band\b|\bor\b)\s*[A-Z0-9][0-9]?(?!\w)")
_REASON = re.compile(r"[\s)\"']{0,3}(?:$|\W|(?:because|since|as|due|given)\b)")
_FULL_STOP_INSIDE = re.compile(r"[.\"')]\s(?:is|was|can|may|might|would|seems)\b")
_JOINED = re.compile(
    r"\W*\b(?:or|and/or|vs|versus)\b\W*(?:(?:the|an?|even|possibly|maybe)\s+)?¤|\s*[/或]\s*¤", re.I
)
_JOINS = re.compile(
    r"¤\W*\b(?:or|and/or|vs|versus)\b\W*(?:(?:the|an?|even|possibly|maybe)\s+)?$|¤\s*[/或]\s*$",
    re.I,
)
_PUNCTUATION = re.compile(r"(?:[\s.:,;()\[\]|>=]|-(?![0-9]))*")
_LEAD_IN = re.compile(
    r"(?:[\s.:,;()\[\]|>=]|-(?![0-9])|\b(?:which is|that is|i\.e\.|namely|the|(?-i:an?)|it is|it's"
    r"|likely|probably|definitely|clearly|most|consistent with|to be|indeed"
    r"|therefore)\b(?=[\s,]))*",
    re.I,
)


class Token(NamedTuple):
    """One word, number, sign or Chinese character of a text."""

    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Head:
    """An option's text at the beginning of a text."""

    letters: tuple[str, ...]
    """All options that read so."""
    end: int
    closed: bool
    """What follows is no further word of the same phrase."""


@lru_cache(maxsize=8)
def tokens(text: str) -> tuple[Token, ...]:
    """Returns the words of a plain text as compared: lower case, singular, `n't` as `not`."""
    return tuple(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    for match in _pattern(text).finditer(text):
        start, end = match.span()
        found = _compared(match[0])
        if len(found) == 2:
            # "can't" is two words, and only the second one is written there.
            yield Token(found[0], start, start)
        if found:
            yield Token(found[-1], start, end)


@lru_cache(maxsize=1 << 16)
def _compared(written: str) -> tuple[str, ...]:
    """Returns the words that one written word is compared as: none, one, or two."""
    word = written.lower()
    if word.endswith("n't") or word == "cannot":
        return ("can" if word == "cannot" else word[:-3], "not")
    if "'" in word:
        word = word.removesuffix("'s").replace("'", "")
    if word[0] in "ϙϡ":
        word = word[0]
    elif word[0].isdigit():
        word = _number(word)
    elif len(word) > 4 and word[-1] == "s" and word[-2] not in "suiao":
        word = word[:-1]
    return () if word == "the" else (american(word),)


def _words(text: str) -> tuple[str, ...]:
    """Returns the words of `tokens` without their places, which takes a third of the time."""
    return tuple(chain.from_iterable(map(_compared, _pattern(text).findall(text))))


def usual_lines(texts: Collection[str]) -> str:
    """Returns texts one a line if their words are those of their plain texts, as most are."""
    together = "\n".join(texts)
    if not is_ordinary(together) or together.count("\n") >= len(texts):
        return ""
    return "" if _COLLECTIVE.search(together.lower()) else together


def _pattern(text: str) -> re.Pattern[str]:
    return _ASCII_TOKEN if text.isascii() else _TOKEN


def _number(word: str) -> str:
    word = word.replace(",", "")
    return word.rstrip("0").rstrip(".") if "." in word else word


def compared(text: str) -> str:
    """Returns an option's text or a whole response as it is compared."""
    return " ".join(_words(merged(text)))


def merged(text: str) -> str:
    """Returns the text with every wording of "none of the above" and of "all …" as one word.

    Each is a run of one rare sign of the same length, so that places in the text stay.
    """
    lower = text.lower()
    if "of" in text or "all" in lower or "以上" in text or "都" in text or "均" in text:
        if "none" in lower or "neither" in lower or not text.isascii():
            text = _NONE.sub(lambda found: "ϙ" * len(found[0]), text)
        if "all" in lower or not text.isascii():
            text = _ALL.sub(lambda found: "ϡ" * len(found[0]), text)
    return text


class _Index(NamedTuple):
    """The options by their words as compared."""

    named: dict[tuple[str, ...], tuple[str, ...]]
    """The letters of all that read so."""
    first: dict[str, list[tuple[str, ...]]]
    """What begins with a word, the longest first."""


class OptionTexts:
    """The options of one question, ready to be looked for."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self.letters = frozenset(options)
        self.raw = {letter: unify(text).strip() for letter, text in options.items()}
        self._options = options
        self._reach = max(map(len, self.raw.values()), default=0) * 2 + 80

    @cached_property
    def _usual(self) -> str:
        return usual_lines(self._options.values())

    @cached_property
    def _openings(self) -> Collection[str]:
        """The first words of the options: what has none of them has no option's text either."""
        begins = [_compared(written) for written in _LINE_BEGINS.findall(self._usual)]
        if len(begins) == len(self._options) and all(begins):
            return {words[0] for words in begins}
        return self._index.first.keys()

    @cached_property
    def _index(self) -> "_Index":
        """All words of the options; many a letter is read without it."""
        named: dict[tuple[str, ...], tuple[str, ...]] = {}
        for letter, text in self._options.items():
            words = _words(text) if self._usual else _words(merged(plain(text)))
            if words:
                named[words] = (*named.get(words, ()), letter)
        first: dict[str, list[tuple[str, ...]]] = {}
        for words in sorted(named, key=len, reverse=True):
            first.setdefault(words[0], []).append(words)
        return _Index(named, first)

    @cached_property
    def initials(self) -> bool:
        """Whether an option begins with a letter that stands alone: `B cell`."""
        letters = [word for word in self._openings if len(word) == 1]
        return any(len(words) > 1 for word in letters for words in self._index.first[word])

    def beginning(self, word: str) -> Sequence[tuple[str, ...]]:
        """Returns the texts, as words, that begin with a word, the longest first."""
        return self._index.first.get(word, ()) if word in self._openings else ()

    def reading(self, word: str) -> tuple[str, ...]:
        """Returns the letters of the options that are this one word."""
        return self._index.named.get((word,), ()) if word in self._openings else ()

    def whole(self, text: str) -> tuple[str, ...]:
        """Returns the letters of the options whose text is the whole of a plain text."""
        if len(text) > self._reach:
            return ()
        exact = [letter for letter, raw in self.raw.items() if raw == text]
        if len(exact) == 1:
            return (exact[0],)
        text = merged(text)
        first = next(_tokens(text), None)
        # Most texts are longer than any option, and their first word tells.
        if first is None or first.word not in self._openings:
            return ()
        return self._index.named.get(_words(text), ())

    def head(self, text: str, start: int = 0, *, lead_in: bool = True) -> Head | None:
        """Returns the longest option's text that begins at a place, after linking words."""
        if lead_in:
            begin = _PUNCTUATION.match(text, start, start + 80)
            start = begin.end() if begin else start
            head = self.head(text, start, lead_in=False)
            leading = _LEAD_IN.match(text, start, start + 80)
            if head is not None or leading is None or leading.end() == start:
                return head
            start = leading.end()
        if start >= len(text):
            return None
        part = merged(text[start : start + self._reach])
        reading = _tokens(part)
        first = next(reading, None)
        candidates = self.beginning(first.word) if first is not None else ()
        words = [first, *islice(reading, len(candidates[0]) - 1)] if first and candidates else []
        for candidate in candidates:
            size = len(candidate)
            if len(words) >= size and all(words[i].word == candidate[i] for i in range(size)):
                end = self._end(candidate, part, words[size - 1].end)
                closed = bool(_REASON.match(part, end))
                return Head(self._index.named[candidate], start + end, closed)
        return None

    def occurrences(self, text: str) -> list[tuple[tuple[str, ...], int, int]]:
        """Returns letters, start and end of every option's text in a plain text.

        One that lies within a longer one does not count.
        """
        text = merged(text)
        words = tokens(text)
        found: list[tuple[tuple[str, ...], int, int]] = []
        covered = 0
        for i, token in enumerate(words):
            for candidate in self.beginning(token.word):
                size = len(candidate)
                if i + size <= covered or tuple(w.word for w in words[i : i + size]) != candidate:
                    continue
                covered = i + size
                if self._counts(text, candidate, words[i + size - 1]):
                    end = self._end(candidate, text, words[i + size - 1].end)
                    found.append((self._index.named[candidate], words[i].start, end))
                break
            if len(found) >= 200:
                break
        return found

    def _end(self, words: tuple[str, ...], text: str, end: int) -> int:
        """Returns where an option's text ends, with its own question mark."""
        asks = self.raw[self._index.named[words][0]].rstrip("\"')").endswith("?")
        return end + 1 if asks and text[end : end + 1] == "?" else end

    def _counts(self, text: str, words: Sequence[str], last: Token) -> bool:
        """A letter never counts; a bare number or small word only where a sentence ends."""
        if len(words) > 1:
            return True
        word = words[0]
        if len(word) == 1 and word.isascii() and word.isalpha():
            written = text[last.start : last.end]
            return written.isupper() and written not in self.letters and written not in "AI"
        if word not in _FUNCTION_WORDS and not word[0].isdigit():
            return True
        if (
            word[0].isdigit()
            and not _DIGIT.search(text, last.end)
            and not _DIGIT.search(text, 0, last.start)
        ):
            return True
        return bool(_AT_END.match(text, last.end))


@lru_cache(maxsize=256)
def _options(items: tuple[tuple[str, str], ...]) -> OptionTexts:
    return OptionTexts(dict(items))


def option_texts(options: Mapping[str, str]) -> OptionTexts:
    """Returns the options ready to be looked for; the same options are prepared once."""
    return _options(tuple(options.items()))


def affirmed(text: str, places: Sequence[tuple[tuple[str, ...], int, int]]) -> dict[str, set[str]]:
    """Returns, for each letter whose text occurs, how: `yes`, `no` (negated) or `perhaps`."""
    how: dict[str, set[str]] = {}
    # With a sign in the place of each option's text, words inside it ("less than 5%") negate
    # nothing.
    parts, since = [], 0
    for _, start, end in places:
        parts.append(text[since:start])
        since = end
    parts.append(text[since:])
    for i, (letters, _, _) in enumerate(places):
        before = "¤".join(parts[max(0, i - 4) : i + 1])[-100:]
        after = "¤".join(parts[i + 1 : i + 4])[:200]
        for letter in letters:
            how.setdefault(letter, set()).add(_stance(before, after))
    return how


def _stance(before: str, after: str) -> str:
    joined = _JOINED.match(after) or _MORE_LETTERS.match(after) or _JOINS.search(before)
    after = after[2:] if _FULL_STOP_INSIDE.match(after) else after
    before = _ALL_BUT.sub("other than", before)
    cut = 0
    for cut_at in _BREAK.finditer(before):
        cut = cut_at.end()
    before = _NO_NEGATION.sub(" ", before[cut:])
    _, comma, last = before.rpartition(",")
    if comma and last.strip() not in {"", "and", "or", "nor"}:
        before = last
    stop = _SENTENCE.search(after)
    if (stop is not None and stop[0] == "?") or joined:
        return "perhaps"
    if _NEGATION_BEFORE.search(before) or _NEGATION_AFTER.match(after[:60]):
        return "no"
    return "perhaps" if _HEDGE_BEFORE.search(before) else "yes"
