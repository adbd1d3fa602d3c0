"""The official kit's reading of MMMU answers, which follows MMMU's own code."""

import random
import re
from collections.abc import Mapping, Sequence

from medevalkit.official.marks import NO_BOX, answer_tags, last_box

_PUNCTUATION = ",.!?;:'"
_MANY_WORDS = 5
_CUES = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")
_TRIVIAL = frozenset([":", ",", ".", "!", "?", ";", "'"])
_NUMBERS = (
    re.compile(r"-?\b\d{1,3}(?:,\d{3})+\b"),
    re.compile(r"-?\d+(?:\.\d+)?[eE][+-]?\d+"),
    re.compile(r"-?(?:\d+\.\d+|\.\d+|\d+\b)(?![eE][+-]?\d+)(?![,\d])"),
)

Value = str | float


def read_letter(response: str, options: Mapping[str, str], rng: random.Random) -> tuple[str, str]:
    """Returns the letter that a response is credited with, and the rule that found it.

    `(A)` anywhere, else a lone capital between spaces, else, in more than five words, the text of
    an option; of several the last. Where nothing is found the letter is drawn at random.
    """
    box = last_box(response)
    text = (answer_tags(response) if box == NO_BOX else box).strip()
    for sign in _PUNCTUATION:
        text = text.strip(sign)
    text = f" {text} "
    low = text.lower()
    for rule, places in (
        ("bracket", {letter: text.rfind(f"({letter})") for letter in options}),
        ("letter", {letter: text.rfind(f" {letter} ") for letter in options}),
        ("text", _texts(low, options)),
    ):
        last = max(places.values(), default=-1)
        if last >= 0:
            return next(letter for letter, place in places.items() if place == last), rule
    return rng.choice(list(options)), "random"


def _texts(low: str, options: Mapping[str, str]) -> dict[str, int]:
    if len(low.split()) <= _MANY_WORDS:
        return {}
    return {letter: low.rfind(text.lower()) for letter, text in options.items()}


def read_open(response: str) -> list[Value]:
    """Returns the phrases and numbers that a response may mean, without order or repetition."""
    phrases = _key_phrases(response.strip().strip(".").lower())
    numbers = [number for phrase in phrases for form in _NUMBERS for number in form.findall(phrase)]
    return list({value for text in (*phrases, *numbers) for value in normalised(text)})


def open_is_right(gold: str | Sequence[str], said: Sequence[Value]) -> bool:
    """Says whether a phrase holds the gold, or a number equals it."""
    golds = [gold] if isinstance(gold, str) else gold
    wanted = [value for text in golds for value in normalised(text)]
    words = [value for value in wanted if isinstance(value, str)]
    return any(
        any(word in value for word in words) if isinstance(value, str) else value in wanted
        for value in said
    )


def normalised(text: str) -> list[Value]:
    """Returns a number rounded to two decimals, or a text in lower case; one letter is padded."""
    text = text.strip()
    try:
        return [round(float(text.replace(",", "")), 2)]
    except ValueError:
        low = text.lower()
        return [f" {low}", f"{low} "] if len(low) == 1 else [low]


def _key_phrases(text: str) -> list[str]:
    found = []
    # The text is in lower case already: the rule that wants a capital splits nothing.
    sentences = re.split(r"\.\s(?=[A-Z])|\n", text)
    for number, sentence in enumerate(sentences, 1):
        cues = (*_CUES, "=") if number == len(sentences) else _CUES
        tails = [sentence.split(cue)[-1].strip() for cue in cues if cue in sentence]
        shortest = ""
        for tail in tails:
            if not shortest or len(tail) < len(shortest):
                shortest = tail
        if shortest and shortest not in _TRIVIAL:
            found.append(shortest)
    return found or [text]
