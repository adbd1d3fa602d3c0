"""From scored items to tables: every row with its interval, its chance and its unparsed share."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from lingshu_core.records import Question, RecordBase, Verdict
from medevalkit.folder import Stored
from medevalkit.items import kind_of
from medevalkit.profile import Grade
from medevalkit.reports import Baseline
from medevalkit.statistics import Interval, mean, proportion

_MOST_VALUES = 60
"""A tag with more values than this is no breakdown."""


@dataclass(slots=True)
class Scored:
    """One answer with its score, and what tables need to know of its item."""

    item: str
    kind: str
    verdict: Verdict | None
    cluster: str
    modality: str
    tags: dict[str, str]
    gold: str = ""
    chance: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    baselines: dict[str, Baseline] = field(default_factory=dict)


class MetricRow(Stored):
    """The mean of a metric."""

    mean: float
    low: float
    high: float
    """The 95 % interval of a bootstrap over pictures."""
    constant: float | None = None
    """What one normal report, always the same, gets on the same items."""
    shuffled: float | None = None
    """What the references get when they are handed in for other items."""


class Row(Stored):
    """One line of a table."""

    profile: str
    task: str
    kind: str
    """`choice`, `closed`, `open`, `report`, or `all` of them."""
    by: str | None = None
    """What the items are divided by: `modality`, or a tag; None for all of them."""
    value: str | None = None
    n: int
    accuracy: float | None
    """Share of right answers; unparsed and unanswered ones are not right."""
    low: float | None
    high: float | None
    """The 95 % interval: Wilson's, widened where items share a picture."""
    unparsed: float
    """Share of answers in which no answer was found."""
    unanswered: float
    """Share of items without any answer: a broken picture, a dead endpoint."""
    unjudged: float = 0.0
    chance: float | None
    """What guessing gives on average."""
    metrics: dict[str, MetricRow] = Field(default_factory=dict)


def scored(record: RecordBase, grade: Grade, baselines: dict[str, Baseline]) -> Scored:
    """Returns what tables need to know of an answer."""
    return Scored(
        item=record.id,
        kind=kind_of(record),
        verdict=grade.verdict,
        cluster=record.images[0].sha256 if record.images else record.id,
        modality=record.modality.value,
        tags=record.tags,
        gold=_gold(record),
        chance=_chance(record),
        metrics=grade.metrics,
        baselines=baselines,
    )


def rows(profile: str, task: str, answers: Sequence[Scored]) -> Iterator[Row]:
    """Yields the lines of a task: all items, each kind, each kind by modality and by tag."""
    _guess_open(answers)
    kinds = list(dict.fromkeys(answer.kind for answer in answers))
    if len(kinds) > 1:
        yield _row(profile, task, "all", answers)
    for kind in kinds:
        mine = [answer for answer in answers if answer.kind == kind]
        yield _row(profile, task, kind, mine)
        for by, groups in _breakdowns(mine):
            for value in sorted(groups):
                yield _row(profile, task, kind, groups[value], by=by, value=value)


def _row(
    profile: str,
    task: str,
    kind: str,
    answers: Sequence[Scored],
    *,
    by: str | None = None,
    value: str | None = None,
) -> Row:
    clusters = [answer.cluster for answer in answers]
    verdicts = [answer.verdict for answer in answers]
    found: Interval | None = None
    if any(verdict is not None for verdict in verdicts):
        found = proportion([verdict == "right" for verdict in verdicts], clusters)
    n = len(answers)
    return Row(
        profile=profile,
        task=task,
        kind=kind,
        by=by,
        value=value,
        n=n,
        accuracy=found and _short(found.value),
        low=found and _short(found.low),
        high=found and _short(found.high),
        unparsed=_short(verdicts.count("unparsed") / n),
        unanswered=_short(verdicts.count("unanswered") / n),
        unjudged=_short(verdicts.count("unjudged") / n),
        chance=found and _short(sum(answer.chance for answer in answers) / n),
        metrics=_metrics(answers),
    )


def _metrics(answers: Sequence[Scored]) -> dict[str, MetricRow]:
    names = dict.fromkeys(name for answer in answers for name in answer.metrics)
    found = {}
    for name in names:
        having = [answer for answer in answers if name in answer.metrics]
        interval = mean(
            [answer.metrics[name] for answer in having], [answer.cluster for answer in having]
        )
        beside = [answer.baselines[name] for answer in having if name in answer.baselines]
        found[name] = MetricRow(
            mean=_short(interval.value),
            low=_short(interval.low),
            high=_short(interval.high),
            constant=_short(sum(pair[0] for pair in beside) / len(beside)) if beside else None,
            shuffled=_short(sum(pair[1] for pair in beside) / len(beside)) if beside else None,
        )
    return found


def _breakdowns(answers: Sequence[Scored]) -> Iterator[tuple[str, dict[str, list[Scored]]]]:
    names = dict.fromkeys(name for answer in answers for name in answer.tags)
    for by in ("modality", *names):
        groups: dict[str, list[Scored]] = defaultdict(list)
        for answer in answers:
            value = answer.modality if by == "modality" else answer.tags.get(by)
            if value is not None:
                groups[value].append(answer)
        if 1 < len(groups) <= _MOST_VALUES or (by == "topic" and groups):
            yield by, groups


def _gold(record: RecordBase) -> str:
    return (record.answer or "").casefold() if isinstance(record, Question) else ""


def _chance(record: RecordBase) -> float:
    """Returns what guessing gives; of questions with open words it is filled in afterwards."""
    if isinstance(record, Question) and record.answer_kind == "choice":
        return 1 / len(record.options)
    return 0.0


def _guess_open(answers: Sequence[Scored]) -> None:
    """Fills in the chance of questions without options: one of the golds of the same topic."""
    golds: dict[tuple[str, str], set[str]] = defaultdict(set)
    asked = [answer for answer in answers if answer.kind in {"open", "closed"}]
    for answer in asked:
        golds[answer.kind, answer.tags.get("topic", "")].add(answer.gold)
    for answer in asked:
        among = golds[answer.kind, answer.tags.get("topic", "")]
        answer.chance = 0.5 if among <= {"yes", "no"} else 1 / len(among)


def _short(value: float) -> float:
    return round(value, 6)
