"""Which questions are put about a picture: drawn from its facts, for each picture on its own."""

from dataclasses import dataclass

from lingshu_core.records import AnswerKind
from lingshu_synth.facts import Fact, Value
from lingshu_synth.phrasing import choose, phrasings, rank
from lingshu_synth.settings import VqaSettings


@dataclass(frozen=True, slots=True)
class Planned:
    """A question whose letters, and where it is free whose yes or no, are not settled yet."""

    topic: str
    kind: AnswerKind
    wording: str
    """With `${value}` where it is a closed question, and `${subject}` where it has one."""
    right: tuple[Value, ...]
    wrong: tuple[Value, ...]
    subject: str = ""
    given: tuple[str, bool] | None = None
    """Of a closed question about a finding: what is asked, and whether it is there."""


def plan(facts: list[Fact], record: str, settings: VqaSettings) -> tuple[Planned, ...]:
    """Draws questions by the seed and the record's id alone.

    Every kind of question gets the weight that the settings give it, however many facts could be
    asked that way.
    """
    pairs = [(fact, kind) for fact in facts for kind in fact.kinds]
    per_kind = {kind: sum(1 for _, other in pairs if other == kind) for _, kind in pairs}
    drawn = []
    for number, (fact, kind) in enumerate(pairs):
        weight = getattr(settings.mix, kind) / per_kind[kind]
        if weight > 0:
            chance = rank(settings.seed, record, fact.about, fact.subject, kind)
            # Weighted drawing without replacement (Efraimidis and Spirakis, 2006).
            drawn.append((-(chance ** (1 / weight)), number))
    chosen = sorted(number for _, number in sorted(drawn)[: settings.per_record])
    return tuple(_planned(*pairs[number], record, settings) for number in chosen)


def _planned(fact: Fact, kind: AnswerKind, record: str, settings: VqaSettings) -> Planned:
    tables = phrasings("vqa.en")
    place = (settings.seed, record, fact.about, fact.subject)
    wording = choose(tables[fact.about][kind], *place, kind, "wording")
    right = sorted(fact.right, key=lambda value: rank(*place, kind, value.word))
    wrong = sorted(fact.wrong, key=lambda value: rank(*place, kind, value.word))
    if kind == "choice":
        wrong = wrong[: settings.options - 1]
    given = None
    if kind == "closed":
        wrong = sorted(fact.denied, key=lambda value: rank(*place, kind, value.word))
        if fact.topic == "presence":
            given = _finding(right, wrong, rank(*place, "answer") < 0.5)
    return Planned(fact.topic, kind, wording, tuple(right), tuple(wrong), fact.subject, given)


def _finding(present: list[Value], absent: list[Value], prefer: bool) -> tuple[str, bool]:
    """Returns a finding to ask about; where there are both kinds, `prefer` says which."""
    answer = bool(present) and (prefer or not absent)
    return (present if answer else absent)[0].phrase, answer
