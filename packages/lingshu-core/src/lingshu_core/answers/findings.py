"""What a report states about findings: present, absent or uncertain, label by label."""

import re
from collections.abc import Iterable, Iterator, Sequence

from lingshu_core.answers.cleaning import plain
from lingshu_core.answers.results import Check
from lingshu_core.answers.synonyms import Key, Synonyms, own_synonyms
from lingshu_core.answers.tags import marked
from lingshu_core.answers.vocabulary import word_row, word_set
from lingshu_core.answers.words import words
from lingshu_core.golds import FindingsGold
from lingshu_core.records import Presence

_SENTENCE = re.compile(
    r"\.(?=\s|$)|[!?;\n。{}]|\b(?:but|however|although|though|whereas|while)\b|但", re.I
)
_UNCHANGED = re.compile(r"\bno (?:\w+ )?(?:interval )?change(?: in)?\b|\bnot changed\b", re.I)
_NO_LONGER = re.compile(
    r"\bno longer (?:seen|visible|present|evident|identified|demonstrated|appreciated)\b", re.I
)
_IN_CASE = re.compile(r"\bin (?:the )?(?:case|event) of\b", re.I)
_SEGMENT = re.compile(r"[,、]")
_STATUS: dict[str, Presence] = {
    **dict.fromkeys(word_row("findings", "present"), "present"),
    **dict.fromkeys(word_row("findings", "absent"), "absent"),
    **dict.fromkeys(word_row("findings", "uncertain"), "uncertain"),
}
_DENIES = word_set("findings", "denying")
_DENIED_AFTER = word_set("findings", "denied_after")
_DOUBTS = word_set("findings", "doubting")
_AFFIRMS = word_set("findings", "affirming")
_EARLIER = word_set("findings", "earlier")
_EXCLUDES = frozenset({"exclude", "excluded", "ruled", "rule"})
# Words that add nothing to a statement but its stance.
_PLAIN = frozenset(_STATUS) | _DENIES | _DENIED_AFTER | _AFFIRMS | {"or", "evidence", "sign", "any"}
# How many words a negation reaches forward within a segment.
_REACH = 40
_JOINS = frozenset({"and", "or", "nor"})


def read_findings(
    response: str, labels: Iterable[str], synonyms: Synonyms | None = None
) -> dict[str, Presence]:
    """Returns what a response states about each label; a label it does not speak of is left out.

    Lists (`edema: absent`), JSON objects and prose are read. Negation reaches over a list ("no
    effusion, edema or pneumothorax") and ends at a contrast. Where statements differ, present wins
    over uncertain, and uncertain over absent: one side may have what the other lacks. A label that
    is both affirmed and denied without any such word is left out.
    """
    table = synonyms or own_synonyms()
    keys = {label: _key(label.replace("_", " "), table) for label in labels}
    text = _UNCHANGED.sub("stable", plain(marked(response, json_too=False)[0]))
    text = _IN_CASE.sub("if", _NO_LONGER.sub("resolved", text))
    found: dict[str, set[Presence]] = {}
    flat: dict[str, set[Presence]] = {}
    for sentence, stop in _sentences(text):
        denied, doubted = False, stop == "?"
        segments = [_key(part, table) for part in _SEGMENT.split(sentence)]
        listed = max((i for i, segment in enumerate(segments) if "or" in segment), default=0)
        for i, segment in enumerate(segments):
            if i > listed and not _goes_on(segment, keys.values()):
                denied, doubted = False, False
            for label, start, end in _mentions(segment, keys):
                stance = _stance(segment, start, end, denied, doubted)
                found.setdefault(label, set()).add(stance)
                if _PLAIN.issuperset(segment[:start] + segment[end:]):
                    flat.setdefault(label, set()).add(stance)
            denied = denied or not _DENIES.isdisjoint(segment)
            doubted = doubted or not _DOUBTS.isdisjoint(segment)
    order: tuple[Presence, ...] = ("present", "uncertain", "absent")
    return {
        label: next(presence for presence in order if presence in found[label])
        for label in keys
        if label in found and not {"present", "absent"} <= flat.get(label, set())
    }


def _sentences(text: str) -> Iterator[tuple[str, str]]:
    """Yields each sentence and what ends it."""
    since = 0
    for stop in _SENTENCE.finditer(text):
        yield text[since : stop.start()], stop[0]
        since = stop.end()
    yield text[since:], ""


def _key(text: str, table: Synonyms) -> Key:
    return table.canonical(words(text))


def _goes_on(segment: Sequence[str], keys: Iterable[Key]) -> bool:
    """Tells whether a segment goes on with a list: it begins with a label."""
    rest = list(segment)
    while rest and rest[0] in _JOINS:
        rest.pop(0)
    return any(key and tuple(rest[: len(key)]) == key for key in keys)


def _mentions(segment: Key, keys: dict[str, Key]) -> list[tuple[str, int, int]]:
    """Returns label, start and end of each label in a segment; one inside a longer one is none."""
    found: list[tuple[str, int, int]] = []
    covered = 0
    longest = sorted(keys.items(), key=lambda item: -len(item[1]))
    for start in range(len(segment)):
        for label, key in longest:
            end = start + len(key)
            if key and segment[start:end] == key and end > covered:
                found.append((label, start, end))
                covered = end
                break
    return found


def _stance(segment: Key, start: int, end: int, denied: bool, doubted: bool) -> Presence:
    after = segment[end : end + 4]
    if after and after[0] in _STATUS:
        statuses = {_STATUS[word] for word in after if word in _STATUS}
        between = len(statuses) > 1 and ("or" in after or after[1] in _STATUS)
        return "uncertain" if between else _STATUS[after[0]]
    if segment[max(0, start - 1) : start] and segment[start - 1] in _EARLIER:
        return "uncertain"
    near = segment[max(0, start - _REACH) : start]
    before = _since_affirmation(near)
    if any(not _EXCLUDES.isdisjoint(side) and "not" in side for side in (before, after)):
        return "uncertain"
    carried = len(before) == start
    if not _DOUBTS.isdisjoint(before) or not _DOUBTS.isdisjoint(after) or (doubted and carried):
        return "uncertain"
    if not _DENIES.isdisjoint(before) or not _DENIED_AFTER.isdisjoint(after):
        return "absent"
    return "absent" if denied and carried else "present"


def _since_affirmation(before: Key) -> Key:
    """Cuts what leads to a label behind a verb that affirms, unless the verb itself is denied."""
    for place in range(len(before) - 1, -1, -1):
        if before[place] in _AFFIRMS and _DENIES.isdisjoint(before[max(0, place - 2) : place]):
            return before[place + 1 :]
    return before


def check_findings(gold: FindingsGold, response: str, synonyms: Synonyms | None = None) -> Check:
    """Checks that a response states every label of the gold as the gold has it.

    The reason says how many agree (`2_of_3`); a label left unsaid does not.
    """
    found = read_findings(response, gold.findings, synonyms)
    if not found:
        return Check.unparsed("no_finding")
    agreeing = sum(found.get(label) == presence for label, presence in gold.findings.items())
    parsed = "; ".join(f"{label}: {presence}" for label, presence in found.items())
    return Check.of(agreeing == len(gold.findings), parsed, f"{agreeing}_of_{len(gold.findings)}")
