"""Words that must not be taken for one another: sides, opposites, grades, negation."""

import re
from collections.abc import Iterable, Sequence

from lingshu_core.answers.vocabulary import entry, longest_first, word_set

_CLASS: dict[str, tuple[tuple[str, int], ...]] = {}
for _group, _sides in entry("contrasts", "groups").items():
    for _number, _members in enumerate(_sides):
        for _member in _members.split():
            _CLASS[_member] = (*_CLASS.get(_member, ()), (_group, _number))

_PREFIXES = longest_first(word_set("contrasts", "prefixes"))
_NEGATIONS = word_set("contrasts", "negations")
_CODE = re.compile(r"[a-z]+[0-9][a-z0-9]*$")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")


def negated(words: Iterable[str]) -> bool:
    """Tells whether words that carry meaning hold a negation."""
    return not _NEGATIONS.isdisjoint(words)


def conflict(gold: Sequence[str], answer: Sequence[str]) -> str:
    """Returns which pair of opposites parts an answer from a gold, or an empty string.

    A slug: `laterality`, `opposite`, `number`. Where only one of the two speaks of a thing (a
    side, a grade) there is no conflict.
    """
    held, said = _classes(gold), _classes(answer)
    for group in held.keys() & said.keys():
        if held[group] != said[group]:
            return "laterality" if group == "laterality" else "opposite"
    missing, extra = set(gold) - set(answer), set(answer) - set(gold)
    if any(_opposed(one, other) for one in missing for other in extra):
        return "opposite"
    for kind in (_numbers, _codes, _lone_letters):
        if kind(missing) and kind(extra):
            return "number"
    return ""


def _classes(words: Iterable[str]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for word in words:
        for group, number in _CLASS.get(word, ()):
            found.setdefault(group, set()).add(number)
    if found.get("laterality") == {0, 1}:
        found["laterality"] = {2}
    return {group: frozenset(numbers) for group, numbers in found.items()}


def unmixed(words: Iterable[str]) -> bool:
    """Tells whether words name no two members of one pair of opposites."""
    return all(len(numbers) == 1 for numbers in _classes(words).values())


def _opposed(one: str, other: str) -> bool:
    """Tells two words that differ in a prefix alone: `hypertension` and `hypotension`."""
    if min(len(one), len(other)) < 4 or not (one.isascii() and other.isascii()):
        return False
    stems = {stem for stem, _ in _parted(one)} & {stem for stem, _ in _parted(other)}
    return any(len(stem) >= 4 for stem in stems)


def _parted(word: str) -> list[tuple[str, str]]:
    parts = [(word, "")]
    parts.extend(
        (word[len(p) :], p) for p in _PREFIXES if word.startswith(p) and len(word) > len(p)
    )
    return parts


def _numbers(words: Iterable[str]) -> set[str]:
    return {word for word in words if word[:1].isdigit()}


def _codes(words: Iterable[str]) -> set[str]:
    return {word for word in words if _CODE.match(word)}


def _lone_letters(words: Iterable[str]) -> set[str]:
    return {word for word in words if len(word) == 1 and word in _LETTERS}
