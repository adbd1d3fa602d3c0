"""Words and phrases: a deterministic match, a veto, or `unknown`."""

import re
from collections.abc import Mapping

from lingshu_core.answers.contrasts import conflict, negated, unmixed
from lingshu_core.answers.cues import final_answer
from lingshu_core.answers.phrase_text import Clause, Phrase, clause, forms, phrase, wording
from lingshu_core.answers.refusals import refused
from lingshu_core.answers.results import Check
from lingshu_core.answers.synonyms import Key, Synonyms, own_synonyms
from lingshu_core.answers.vocabulary import word_set
from lingshu_core.answers.words import words
from lingshu_core.golds import PhraseGold

_ALTERNATIVES = re.compile(
    r"\b(?:or|versus|vs|either|and/or|alternatively)\b|(?<=[^\W\d_]{3})\s?/\s?(?=[^\W\d_]{3})|或"
    r"|还是",
    re.I,
)
_HEDGED = re.compile(
    r"\b(?:maybe|perhaps|might|could|may be|not sure|unsure|uncertain|unclear|unknown"
    r"|(?:any|some)(?:thing|one)? (?:like|such as|similar to))\b|\?\s*$"
    r"|(?<![最很极较更])可能|也许|或许|不确定",
    re.I,
)
_REJECTED = word_set("phrase", "rejecting")
_DIRECTED = word_set("phrase", "directed")
_GENERIC = word_set("phrase", "generic")
_BODY = word_set("phrase", "body")
_IMAGING = word_set("phrase", "imaging")
_COMPANIONS = dict.fromkeys(
    ("modality", "plane", "sequence", "projection", "contrast"), _BODY | _IMAGING
)
# Beyond so many words another order may say another thing.
_REORDERED = 5
_SIDES = frozenset({("left",), ("right",), ("bilateral",), ("upper",), ("lower",)})
_MODIFIER = re.compile(
    r"\s*(?:in|on|at|of|with|without|due|because|likely|probably|which|consistent|the|most"
    r"|involving|affecting|located|located|seen|noted|measuring|causing|secondary|more|especially"
    r"|particularly|predominantly|left|right|bilateral|upper|lower|anterior|posterior|mild"
    r"|moderate|severe|acute|chronic)\b",
    re.I,
)


def check_phrase(
    gold: PhraseGold,
    response: str,
    options: Mapping[str, str] | None = None,
    synonyms: Synonyms | None = None,
) -> Check:
    """Checks a word or phrase against every accepted wording.

    `right` where it matches one, up to spelling, order and words that add nothing; `wrong` where
    each is ruled out (negation, side, opposite, grade, number, unit, several answers), or where
    it is the text of another option; else `unknown`. `synonyms` is the package's own table where
    none is given.
    """
    table = synonyms or own_synonyms()
    text, how = final_answer(response)
    if not text:
        return Check.unparsed(how)
    accepted = [phrase(wording(text), table) for text in gold.accepted]
    other = options and _verbatim(text, accepted, options)
    if other:
        return Check("wrong", text[:200], "distractor")
    doubted = _HEDGED.search(text) and not any(_HEDGED.search(one) for one in gold.accepted)
    if not doubted and any(_same(phrase(text[:600], table), one) for one in accepted):
        return Check("right", text[:200], "exact")
    if refused(text) == "refusal":
        return Check.unparsed("refusal")
    found = clause(text)
    if not found.main:
        return Check.unparsed("empty")
    reasons = [_compare(found, one, table) for one in accepted]
    matched = [reason for right, reason in reasons if right]
    if matched:
        return Check("right", found.main[:200], matched[0])
    if options and _is_distractor(found, accepted, options, table):
        return Check("wrong", found.main[:200], "distractor")
    if all(reason for _, reason in reasons):
        return Check("wrong", found.main[:200], reasons[0][1])
    return Check("unknown", found.main[:200], "no_match")


def _compare(found: Clause, gold: Phrase, table: Synonyms) -> tuple[bool, str]:
    """Returns whether an answer matches, and the match or the veto; "" where neither is sure."""
    whole = phrase(found.main, table)
    if found.set_aside and _same(phrase(found.set_aside, table), gold):
        return False, "negation"
    veto = _veto(found.main, whole, gold)
    if veto:
        return False, veto
    if _same(whole, gold):
        return True, "exact"
    verdict = _compare_items(whole, gold)
    if verdict is not None:
        return verdict
    for form in forms(found.main):
        answer = phrase(form, table)
        if _same(answer, gold) or _adds_nothing(answer, gold, table):
            return True, "in_sentence"
    return False, _other_member(whole, gold, table)


def _same(answer: Phrase, gold: Phrase) -> bool:
    """Tells the same words in the same order, or in another where that changes nothing."""
    if answer.quantities != gold.quantities:
        return False
    if answer.words == gold.words or "".join(answer.words) == "".join(gold.words):
        return bool(answer.words)
    if len(answer.items) > 1 or len(gold.items) > 1:
        same = len(answer.items) > 1 and set(answer.items) == set(gold.items)
        return same and not any(map(_ordered, gold.items))
    return _same_words(answer.words, gold.words)


def _same_words(answer: Key, gold: Key) -> bool:
    """Tells the same few words, where neither their order nor how often they stand matters."""
    if answer == gold:
        return True
    if set(answer) != set(gold) or len(set(gold)) != len(gold) or len(gold) > _REORDERED:
        return False
    return unmixed(gold) and not negated(gold) and not _ordered(gold)


def _ordered(words: Key) -> bool:
    """Tells words whose order carries meaning: comparisons, sequences, numbers, signs."""
    single = any(len(word) == 1 and word.isascii() for word in words)
    return single or not _DIRECTED.isdisjoint(words) or any(word[0].isdigit() for word in words)


def _veto(main: str, answer: Phrase, gold: Phrase) -> str:
    if _ALTERNATIVES.search(main) and not _ALTERNATIVES.search(gold.text):
        return "several"
    if _HEDGED.search(main) and not _HEDGED.search(gold.text):
        return "hedged"
    rejected = not _REJECTED.isdisjoint(answer.words) and _REJECTED.isdisjoint(gold.words)
    if rejected or negated(answer.words) != negated(gold.words):
        return "negation"
    if answer.quantities and gold.quantities and answer.quantities != gold.quantities:
        kinds = [sorted(kind for kind, _ in side.quantities) for side in (answer, gold)]
        return "number" if kinds[0] == kinds[1] else "unit"
    return conflict(gold.words, answer.words)


def _compare_items(answer: Phrase, gold: Phrase) -> tuple[bool, str] | None:
    """Compares lists; None where neither side is one."""
    said, held = set(answer.items), set(gold.items)
    if len(held) > 1:
        if said == held and not any(map(_ordered, gold.items)):
            return True, "same_items"
        if said > held:
            return False, "several"
        if said < held:
            return False, "incomplete"
        crossed = (conflict(g, a) for g in held - said for a in said - held if set(g) & set(a))
        reason = next(filter(None, crossed), "")
        return (False, reason) if reason else None
    others = [item for item in answer.items if item not in held]
    others = [item for item in others if not _MODIFIER.match(" ".join(item))]
    if len(said) >= 5 or (len(said) >= 3 and others and _stuffed(answer, gold)):
        return False, "stuffing"
    return (False, "several") if others and len(said) > 1 and held <= said else None


def _stuffed(answer: Phrase, gold: Phrase) -> bool:
    """Tells whether the gold stands among the items of a list, with or without leading words."""
    size = len(gold.words)
    return any(gold.words in {item[:size], item[-size:]} for item in answer.items)


def _adds_nothing(answer: Phrase, gold: Phrase, table: Synonyms) -> bool:
    """Tells whether an answer holds all of the gold and beside it only words without weight."""
    held = set(gold.words)
    if not held or not held <= set(answer.words) or answer.quantities != gold.quantities:
        return False
    family = table.family(gold.words)
    if family and table.named(answer.words, family) - {gold.words}:
        return False
    light = _GENERIC | (_COMPANIONS.get(family, frozenset()) if family else frozenset())
    if gold.words in _SIDES:
        light = light | _BODY
    if not set(answer.words) - held <= light:
        return False
    kept = tuple(word for word in answer.words if word in held)
    if len(gold.items) > 1 or len(held) < len(gold.words) or negated(gold.words):
        return kept == gold.words
    return _same_words(tuple(dict.fromkeys(kept)), gold.words)


def _other_member(answer: Phrase, gold: Phrase, table: Synonyms) -> str:
    """Returns a veto where the answer names another member of the gold's family, or both."""
    family = table.family(gold.words)
    if family is None:
        return ""
    named = table.named(answer.words, family)
    if gold.words in named:
        return "several" if len(named) > 1 and family in _COMPANIONS else ""
    return "other_value" if named else ""


def _verbatim(text: str, accepted: list[Phrase], options: Mapping[str, str]) -> bool:
    """Tells whether an answer is word by word another option, and no accepted wording."""
    written = words(text[:600])
    if any(words(one.text) == written for one in accepted):
        return False
    return any(words(wording(option)) == written for option in options.values())


def _is_distractor(
    found: Clause, accepted: list[Phrase], options: Mapping[str, str], table: Synonyms
) -> bool:
    """Tells whether an answer is the text of an option that is not the gold."""
    answers = [phrase(form, table) for form in forms(found.main)]
    for text in options.values():
        other = phrase(wording(text), table)
        if any(_same(other, one) for one in accepted):
            continue
        if any(_same(answer, other) for answer in answers):
            return True
    return False
