"""Multiple choice: which option a response commits to, and whether it is the gold's."""

import re
from collections.abc import Mapping, Sequence

from lingshu_core.answers.choice_reading import read_choice
from lingshu_core.answers.choice_several import read_choices
from lingshu_core.answers.cleaning import plain, unify
from lingshu_core.answers.doubts import second_letter
from lingshu_core.answers.option_text import option_texts, usual_lines
from lingshu_core.answers.results import Check, Parsed
from lingshu_core.answers.tags import marked
from lingshu_core.golds import ChoiceGold

_QUICK = re.compile(r"[\s(\[<{*\"'`$]{0,6}([A-Za-z])[\s)\]>}*\"'`$.:,]{0,6}")
_SAID = re.compile(
    r"(?:[Tt]he )?(?:(?:correct|right|best|final|Final) )?[Aa]nswer(?: is|:) "
    r"(?:\*\*)?\(?([A-Z])\)?\.?(?:\*\*)?\.?"
)
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
    letter = None if several else quick_letter(response, options)
    return Parsed(letter, "letter") if letter else read_response(response, options, several)


def quick_letter(response: str, options: Mapping[str, str]) -> str | None:
    """Returns the letter of a response in one of the two forms that most of them have.

    None says nothing: `read_response` reads both forms as the same letters.
    """
    if len(response) < 16:
        quick = _QUICK.fullmatch(response)
        if quick and quick[1].upper() in options:
            return quick[1].upper()
    said = _SAID.fullmatch(response) if len(response) < 48 else None
    if said is None or said[1] not in options:
        return None
    # No option reads "the answer is B".
    usual = usual_lines(options.values())
    return said[1] if usual and "answer" not in usual.lower() else None


def read_response(response: str, options: Mapping[str, str], several: bool) -> Parsed:
    """Reads a response by all rules; the arguments are those of `parse_choice`."""
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
    return check_letters(gold.letter, response, options)


def check_letters(letters: str, response: str, options: Mapping[str, str]) -> Check:
    """Checks an answer among options against the letters of the right ones."""
    found = parse_choice(response, options, several=len(letters) > 1)
    if found.value is None:
        return Check.unparsed(found.reason)
    return Check.of(found.value == "".join(sorted(set(letters))), found.value, found.reason)
