"""Multiple choice: which option a response commits to, and whether it is the gold's."""

import re
from collections.abc import Mapping, Sequence

from lingshu_core.answers.choice_reading import read_choice
from lingshu_core.answers.choice_several import read_choices
from lingshu_core.answers.cleaning import plain, unify
from lingshu_core.answers.doubts import second_letter
from lingshu_core.answers.option_text import option_texts
from lingshu_core.answers.results import Check, Parsed
from lingshu_core.answers.tags import marked
from lingshu_core.golds import ChoiceGold

_QUICK = re.compile(r"[\s(\[<{*\"'`$]{0,6}([A-Za-z])[\s)\]>}*\"'`$.:,]{0,6}")
_CONDITIONAL = re.compile(
    r"\W{0,3}(?:[A-Za-z]|option [A-Za-z])\W{1,4}(?:unless|if|provided|assuming|depending)\b[^.;\n]*"
    r"\b[A-Z]\b",
)
_LABEL = re.compile(
    r"\s*(?:\(\s*([A-Z])\s*\)|\[\s*([A-Z])\s*\]|([A-Z])\s*[.):、])\s*(?=\S)|\s*([A-Z])\s+-\s+"
)


def options_from(choices: Sequence[str]) -> dict[str, str]:
    """Returns letter and text of each choice, in order, from A.

    Labels are taken off where every choice carries its own (`A. x`, `A: x`, `(A) x`, `A、x`).

    Raises:
        ValueError: fewer than 2 or more than 26 choices.
    """
    if not 2 <= len(choices) <= 26:
        raise ValueError(f"a choice needs 2 to 26 options, not {len(choices)}")
    letters = [chr(ord("A") + i) for i in range(len(choices))]
    choices = [unify(text).strip() for text in choices]
    labels = [_LABEL.match(text) for text in choices]
    marks = [next(filter(None, label.groups()), "") if label else "" for label in labels]
    if marks != letters:
        return {letter: text.strip() for letter, text in zip(letters, choices, strict=True)}
    return {
        letter: text[label.end() if label else 0 :].strip()
        for letter, text, label in zip(letters, choices, labels, strict=True)
    }


def parse_choice(response: str, options: Mapping[str, str], several: bool = False) -> Parsed:
    """Returns the letter that a response commits to.

    `options` maps 2 to 26 letters to their texts, without labels. With `several` all letters that
    the answer names come back in order (`ACD`), and one is allowed too. None with a reason where
    the response commits to nothing, to two options at once, or to a letter with the text of
    another option.
    """
    if not several and len(response) < 16:
        quick = _QUICK.fullmatch(response)
        if quick and quick[1].upper() in options:
            return Parsed(quick[1].upper(), "letter")
    text, how = marked(response)
    text = plain(text)
    if not text:
        return Parsed(None, how if how in {"empty", "unclosed_think"} else "empty")
    texts = option_texts(options)
    if _CONDITIONAL.match(text) and len(text) < 200:
        return Parsed(None, "hedged")
    found = (read_choices if several else read_choice)(text, texts)
    if found.value is not None and not several and second_letter(text, found.value, texts.letters):
        return Parsed(None, "several")
    if found.value is not None and how != "whole":
        return Parsed(found.value, how)
    return found


def check_choice(gold: ChoiceGold, response: str, options: Mapping[str, str] | None) -> Check:
    """Checks an answer among options; without them only the gold's own text can stand for it."""
    if options is None:
        last = max("E", *gold.letter)
        options = {chr(i): "" for i in range(ord("A"), ord(last) + 1)}
        if len(gold.letter) == 1:
            options[gold.letter] = gold.text
    found = parse_choice(response, options, several=len(gold.letter) > 1)
    if found.value is None:
        return Check.unparsed(found.reason)
    return Check.of(found.value == "".join(sorted(set(gold.letter))), found.value, found.reason)
