"""From scored items to tables: every row with its interval, its chance and its unparsed share."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from lingshu_core.records import Question, RecordBase, Verdict
from medevalkit.folder import Stored
from medevalkit.items import ROTATION_OF, kind_of, rotated_from
from medevalkit.profile import Grade
from medevalkit.reports import Baseline
from medevalkit.statistics import Interval, mean, proportion

RUBRIC = "rubric"
"""The metric of items with a rubric of their own: of the points that could be earned, the share
that was; a mean is cut off at 0 and 1, as HealthBench has it."""
_MOST_VALUES = 60
"""A tag with more values than this is no breakdown."""
_FIELDS = ("modality", "language")
"""Fields of every record by which tables are divided."""
_OWN = frozenset({RUBRIC, ROTATION_OF})
"""Tags that are no division of the items."""


@dataclass(slots=True)
class Scored:
    """One answer with its score, and what tables need to know of its item."""

    item: str
    kind: str
    verdict: Verdict | None
    cluster: str
    modality: str
    language: str
    tags: dict[str, str]
    base: str = ""
    """The item without its rotation: what is asked several times."""
    parsed: str | None = None
    judged: bool = False
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
    """What the items are divided by: `modality`, `language`, or a tag; None for all of them."""
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
    """Share of answers that only a judge could decide and none has."""
    judged: float = 0.0
    """Share of answers that a judge has decided; the others were read by rule."""
    chance: float | None
    """What guessing gives on average."""
    metrics: dict[str, MetricRow] = Field(default_factory=dict)


def scored(
    record: RecordBase, grade: Grade, baselines: dict[str, Baseline], *, judged: bool = False
) -> Scored:
    """Returns what tables need to know of an answer."""
    base = rotated_from(record) or record.id
    return Scored(
        item=record.id,
        kind=kind_of(record),
        verdict=grade.verdict,
        cluster=record.images[0].sha256 if record.images else base,
        modality=record.modality.value,
        language=record.language,
        tags=record.tags,
        base=base,
        parsed=grade.parsed,
        judged=judged,
        gold=_gold(record),
        chance=_chance(record),
        metrics=grade.metrics,
        baselines=baselines,
    )


def rows(profile: str, task: str, answers: Sequence[Scored]) -> Iterator[Row]:
    """Yields the lines of a task: all items, each kind, each kind by modality, language and tag."""
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
        judged=_short(sum(answer.judged for answer in answers) / n),
        chance=found and _short(sum(answer.chance for answer in answers) / n),
        metrics=_metrics(answers) | repeated(answers),
    )


def repeated(answers: Sequence[Scored]) -> dict[str, MetricRow]:
    """Returns what only items that were asked several times have.

    `circular`: the share of choices that were answered rightly in every rotation of their options.
    `pass@k` and `majority@k`: the share of items with a right answer among k, and of those whose
    most frequent answer is right (of equally frequent ones the earliest).
    """
    groups: dict[str, list[Scored]] = defaultdict(list)
    for answer in answers:
        groups[answer.base].append(answer)
    if len(groups) == len(answers) or all(answer.verdict is None for answer in answers):
        return {}
    found: dict[str, list[float]] = {}
    turned = any(ROTATION_OF in answer.tags for answer in answers)
    if turned:
        found["circular"] = [
            float(all(answer.verdict == "right" for answer in group)) for group in groups.values()
        ]
    else:
        most = max(len(group) for group in groups.values())
        found[f"pass@{most}"] = [
            float(any(answer.verdict == "right" for answer in group)) for group in groups.values()
        ]
        found[f"majority@{most}"] = [float(_elected(group)) for group in groups.values()]
    clusters = [group[0].cluster for group in groups.values()]
    return {name: _metric(values, clusters) for name, values in found.items()}


def _elected(group: Sequence[Scored]) -> bool:
    """Says whether the most frequent answer to an item is right."""
    votes: dict[str | None, int] = defaultdict(int)
    for answer in group:
        votes[answer.parsed] += 1
    votes.pop(None, None)
    chosen = max(votes, key=votes.__getitem__, default=None)
    return any(answer.parsed == chosen and answer.verdict == "right" for answer in group)


def _metric(
    values: Sequence[float], clusters: Sequence[object], *, clipped: bool = False
) -> MetricRow:
    interval = mean(values, clusters)
    low, value, high = (
        _short(min(1.0, max(0.0, end)) if clipped else end)
        for end in (interval.low, interval.value, interval.high)
    )
    return MetricRow(mean=value, low=low, high=high)


def _metrics(answers: Sequence[Scored]) -> dict[str, MetricRow]:
    names = dict.fromkeys(name for answer in answers for name in answer.metrics)
    found = {}
    for name in names:
        having = [answer for answer in answers if name in answer.metrics]
        row = _metric(
            [answer.metrics[name] for answer in having],
            [answer.cluster for answer in having],
            clipped=name == RUBRIC,
        )
        beside = [answer.baselines[name] for answer in having if name in answer.baselines]
        if beside:
            constant, shuffled = (sum(pair[i] for pair in beside) / len(beside) for i in (0, 1))
            row = row.model_copy(
                update={"constant": _short(constant), "shuffled": _short(shuffled)}
            )
        found[name] = row
    return found


def _breakdowns(answers: Sequence[Scored]) -> Iterator[tuple[str, dict[str, list[Scored]]]]:
    names = dict.fromkeys(name for answer in answers for name in answer.tags if name not in _OWN)
    for by in dict.fromkeys((*_FIELDS, *names)):
        groups: dict[str, list[Scored]] = defaultdict(list)
        for answer in answers:
            value = getattr(answer, by) if by in _FIELDS else answer.tags.get(by)
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
