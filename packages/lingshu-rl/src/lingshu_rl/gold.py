"""How an answer is verified, decided once for each question and tried before it is believed."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from lingshu_core.answers import SynonymRow, Synonyms, check, gold_of, normalise
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

LONGEST_PHRASE = 8
"""Words; a longer text has no single wording that rules could compare."""

Aliases = Mapping[str, tuple[str, ...]]
"""Other wordings of a phrase, by the phrase as `normalise` writes it."""


def decide(question: Question, aliases: Aliases) -> tuple[Gold | None, str]:
    """Returns the gold of a question, or None and the reason why rules cannot verify it."""
    gold = gold_of(question)
    if gold is None:
        return None, "the answer is withheld"
    if isinstance(gold, PhraseGold):
        gold = _with_aliases(gold, aliases)
        if len(gold.accepted[0].split()) > LONGEST_PHRASE:
            return None, "the answer is too long for rules"
    return gold, ""


def fault(question: Question, gold: Gold, distractors: Iterable[str] = ()) -> str:
    """Tries the checker on answers whose verdict is known.

    Args:
        question: With its options where it is a choice.
        gold: What is tried.
        distractors: Wrong answers beside those that question and gold imply.

    Returns:
        What is wrong with the gold, or nothing where every right answer has full marks and no
        wrong one has.
    """
    options = {option.letter: option.text for option in question.options} or None

    def verdict(answer: str) -> str:
        return check(gold, f"<think>.</think><answer>{answer}</answer>", options=options).verdict

    if any(verdict(answer) != "right" for answer in right_answers(gold)):
        return "the checker does not accept the gold"
    if any(verdict(answer) == "right" for answer in (*distractors, *wrong_answers(question, gold))):
        return "the checker accepts a distractor"
    return ""


def right_answers(gold: Gold) -> tuple[str, ...]:
    """Returns the right answers as a response would give them."""
    match gold:
        case ChoiceGold():
            return (gold.letter, gold.text) if len(gold.letter) == 1 else (gold.letter,)
        case YesNoGold():
            return (gold.value,)
        case NumberGold():
            return (_number(gold.value, gold.unit),)
        case PhraseGold():
            return gold.accepted
        case BoxGold():
            return (_boxes(gold, shift=0.0),)
        case FindingsGold():
            return (_findings(gold, flipped=False),)


def wrong_answers(question: Question, gold: Gold) -> tuple[str, ...]:
    """Returns wrong answers that follow from the gold, and a choice's other options."""
    match gold:
        case ChoiceGold():
            others = [o for o in question.options if o.letter not in gold.letter]
            return tuple(text for option in others for text in (option.letter, option.text))
        case YesNoGold():
            return ("no" if gold.value == "yes" else "yes",)
        case NumberGold():
            return (_number(2 * gold.value + 1 + 2 * gold.tolerance, gold.unit),)
        case PhraseGold():
            return (f"no {gold.accepted[0]}",)
        case BoxGold():
            return (_boxes(gold, shift=1.0),)
        case FindingsGold():
            return (_findings(gold, flipped=True),)


def read_aliases(path: Path) -> Aliases:
    """Reads a table of synonyms; all wordings of a row stand for one another.

    Raises:
        DataError: The file is missing, or a line is no row of `lingshu_core.answers.Synonyms`.
    """
    Synonyms.load(path)
    found: dict[str, tuple[str, ...]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        row = SynonymRow.model_validate_json(line)
        wordings = (row.canonical, *row.synonyms)
        for wording in wordings:
            key = normalise(wording)
            found[key] = (*found.get(key, ()), *wordings)
    return found


def _with_aliases(gold: PhraseGold, aliases: Aliases) -> PhraseGold:
    more = [alias for text in gold.accepted for alias in aliases.get(normalise(text), ())]
    return PhraseGold(accepted=tuple(dict.fromkeys((*gold.accepted, *more))))


def _number(value: float, unit: str | None) -> str:
    return f"{value:g} {unit}" if unit else f"{value:g}"


def _boxes(gold: BoxGold, *, shift: float) -> str:
    """Returns boxes by their corners, as models write them, moved by a share of their width."""
    corners = [
        [x + shift * width, y, x + (1 + shift) * width, y + height]
        for x, y, width, height in gold.boxes
    ]
    return str([[round(value, 2) for value in box] for box in corners])


def _findings(gold: FindingsGold, *, flipped: bool) -> str:
    other = {"present": "absent", "absent": "present", "uncertain": "absent"}
    states = {name: other[state] if flipped else state for name, state in gold.findings.items()}
    return "; ".join(f"{name}: {state}" for name, state in states.items())
