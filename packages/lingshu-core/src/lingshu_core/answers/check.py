"""One entrance for every kind of gold, and the gold that a question implies."""

import re
from collections.abc import Mapping
from typing import Literal

from lingshu_core.answers.box import check_box
from lingshu_core.answers.choice import check_choice, check_letters
from lingshu_core.answers.findings import check_findings
from lingshu_core.answers.number import check_number, number_gold
from lingshu_core.answers.phrase import check_phrase
from lingshu_core.answers.results import Check
from lingshu_core.answers.synonyms import Synonyms
from lingshu_core.answers.yes_no import check_yes_no, yes_no_gold
from lingshu_core.errors import DataError
from lingshu_core.golds import (
    BoxGold,
    ChoiceGold,
    FindingsGold,
    Gold,
    NumberGold,
    PhraseGold,
    YesNoGold,
)
from lingshu_core.records import Question

_LETTERS = re.compile(r"[\s,;、]+")

GradeKind = Literal["choice", "yesno", "closed", "open"]


def check(
    gold: Gold,
    response: str,
    *,
    options: Mapping[str, str] | None = None,
    synonyms: Synonyms | None = None,
) -> Check:
    """Checks a response against a gold by rule.

    `options` are letters and texts of a choice; for a phrase they are what the question once
    offered, and the text of another option is wrong. `unknown` comes for phrases alone; a response
    in which no answer is found is `wrong`, with `parsed` None and the reason.
    """
    match gold:
        case ChoiceGold():
            return check_choice(gold, response, options)
        case YesNoGold():
            return check_yes_no(gold, response)
        case NumberGold():
            return check_number(gold, response)
        case PhraseGold():
            return check_phrase(gold, response, options, synonyms)
        case BoxGold():
            return check_box(gold, response)
        case FindingsGold():
            return check_findings(gold, response, synonyms)


def check_question(question: Question, response: str) -> Check:
    """Checks a response against a question's gold, or the one that its answer implies.

    Raises:
        ValueError: the answer is withheld.
    """
    options = {option.letter: option.text for option in question.options}
    if question.gold is None and question.answer_kind == "choice" and question.answer is not None:
        # The gold that it implies holds these letters, and to make it takes as long as to read one.
        return check_letters(question.answer, response, options)
    gold = gold_of(question)
    if gold is None:
        raise ValueError(f"the answer of {question.id} is withheld")
    return check(gold, response, options=options or None)


def gold_of(question: Question) -> Gold | None:
    """Returns a question's gold, or the one that its answer implies; None where it is withheld.

    A choice implies its letter, a text that is a yes or no or a number (with a unit) implies
    these, any other text a phrase with one accepted wording.
    """
    if question.gold is not None:
        return question.gold
    if question.answer is None:
        return None
    if question.answer_kind == "choice":
        texts = {option.letter: option.text for option in question.options}
        named = "; ".join(texts[letter] for letter in question.answer)
        return ChoiceGold(letter=question.answer, text=named)
    return _of_text(question.answer)


def _of_text(answer: str) -> YesNoGold | NumberGold | PhraseGold:
    return yes_no_gold(answer) or number_gold(answer) or PhraseGold(accepted=(answer,))


def grade(
    kind: GradeKind, gold: str, response: str, options: Mapping[str, str] | None = None
) -> Check:
    """Checks a response against a gold that is written as text.

    - `choice`: the gold is a letter (letters in order) or the text of an option.
    - `yesno`: the gold is a yes or no, in English or Chinese.
    - `closed`: a yes or no where the gold is one, else a number or a short phrase; never
      `unknown`, for closed questions are not judged.
    - `open`: the same, and `unknown` where the rules cannot tell.

    Raises:
        DataError: the gold is no option, or for `yesno` neither yes nor no.
    """
    if kind == "choice":
        return check_choice(_choice_gold(gold, options), response, options)
    implied = _of_text(gold)
    if kind == "yesno" and not isinstance(implied, YesNoGold):
        raise DataError(f"the gold {gold!r} is neither yes nor no", field="gold")
    found = check(implied, response, options=options)
    if kind == "closed" and found.verdict == "unknown":
        return Check("wrong", found.parsed, found.reason)
    return found


def _choice_gold(gold: str, options: Mapping[str, str] | None) -> ChoiceGold:
    gold = gold.strip()
    for letter, text in (options or {}).items():
        if text.strip() == gold:
            return ChoiceGold(letter=letter, text=text)
    letters = _LETTERS.sub("", gold.upper() if len(gold) == 1 else gold)
    named = "".join(sorted(set(letters)))
    upper = letters.isascii() and letters.isalpha() and letters.isupper()
    if upper and len(named) == len(letters) and set(named) <= set(options or named):
        texts = [] if options is None else [options[letter] for letter in named]
        return ChoiceGold(letter=named, text="; ".join(texts))
    raise DataError(f"the gold {gold!r} is no option", field="gold")
