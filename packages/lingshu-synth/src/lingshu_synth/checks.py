"""What a caption or a reasoning that a model wrote must not be: leaky, too short, too long."""

import re

from lingshu_synth.generator import Rejected

_LEAKS = re.compile(
    r"\bbounding[- ]box(?:es)?\b"
    r"|\b(?:red|green|blue|yellow|cyan|magenta|pink|purple|orange|white|black|colou?red)"
    r"[- ](?:box|boxes|rectangle|rectangles|frame|frames|outline|outlines|contour|contours)\b"
    r"|\b(?:the|in|by|within|inside|each|these|those) (?:box|boxes|rectangle|rectangles)\b"
    r"|\bcaptions?\b|\bannotat(?:ed|ion|ions)\b|\bmedical knowledge\b|\bmeta-?data\b"
    r"|\b(?:provided|given|supplied|accompanying) (?:\w+ )?"
    r"(?:information|description|text|context|data|knowledge|label|labels|details)\b"
    r"|\baccording to the (?:provided|given|information|description|label)\b"
    r"|\b(?:highlighted|outlined|delineated|marked) (?:area|areas|region|regions|box|zone|part)\b"
    r"|<data\b",
    re.I,
)
_SPOKEN_ANSWER = re.compile(
    r"\bground[- ]truth\b"
    r"|\b(?:given|provided|known|supplied|stated|reference|gold) answer\b"
    r"|\banswer (?:that (?:was|is) |was |is )?(?:given|provided|supplied)\b"
    r"|标准答案|参考答案|给定的?答案",
    re.I,
)
_CJK = re.compile(r"[\u3400-\u9fff]")


def caption_fault(text: str, words: tuple[int, int]) -> Rejected | None:
    """Returns why a caption is not kept: it speaks of what was given, or its length is off."""
    leak = _LEAKS.search(text)
    if leak is not None:
        return Rejected("leak", f"speaks of {leak[0]!r}")
    return length_fault(text, words)


def reasoning_fault(text: str, words: tuple[int, int]) -> Rejected | None:
    """Returns why a reasoning is not kept: it points to the given answer, or its length is off."""
    spoken = _SPOKEN_ANSWER.search(text)
    if spoken is not None:
        return Rejected("names_the_answer", f"speaks of {spoken[0]!r}")
    return length_fault(text, words)


def length_fault(text: str, words: tuple[int, int]) -> Rejected | None:
    """Returns why the length of a text is off; a Chinese character counts as half a word."""
    count = word_count(text)
    if count < words[0]:
        return Rejected("too_short", f"{count} words")
    if count > words[1]:
        return Rejected("too_long", f"{count} words")
    return None


def word_count(text: str) -> int:
    """Returns the words of a text; a Chinese character counts as half a word."""
    wide = len(_CJK.findall(text))
    return len(_CJK.sub(" ", text).split()) + wide // 2
