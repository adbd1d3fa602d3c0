"""The page of a curation: what the set is made of before and after, and why questions left it."""

from collections import Counter
from dataclasses import dataclass, field

from lingshu_core.manifest import Producer
from lingshu_core.panels import Bars, Facts, Flow, Panel, Series, Stats, Table
from lingshu_core.records import Question
from lingshu_rl.settings import CurationRecipe
from lingshu_rl.step import Desk


@dataclass
class Census:
    """Counts of a set of questions."""

    total: int = 0
    modality: Counter[str] = field(default_factory=Counter)
    format: Counter[str] = field(default_factory=Counter)
    dataset: Counter[str] = field(default_factory=Counter)
    topic: Counter[str] = field(default_factory=Counter)
    answer: Counter[str] = field(default_factory=Counter)

    def add(self, question: Question) -> None:
        """Counts a question."""
        self.total += 1
        self.modality[question.modality.value] += 1
        self.format[question_format(question)] += 1
        self.dataset[question.source.dataset] += 1
        self.topic[question.tags.get("topic", "none")] += 1
        if question.answer_kind == "choice" and question.answer:
            self.answer[question.answer] += 1


def question_format(question: Question) -> str:
    """Returns `choice`, `yes_no`, `number`, `phrase` …, by the gold where there is one."""
    if question.gold is not None:
        return question.gold.kind
    if question.answer is not None and question.answer.strip(" .").casefold() in {"yes", "no"}:
        return "yes_no"
    return "choice" if question.answer_kind == "choice" else "phrase"


def curation_stats(
    recipe: CurationRecipe, producer: Producer, before: Census, after: Census, desk: Desk
) -> Stats:
    """Returns what the page shows."""
    share = after.format["yes_no"] / after.total
    drops = {f"{step}: {reason}": n for (step, reason), n in sorted(desk.drops.items())}
    return Stats(
        title=f"Verifiable questions: {recipe.name}",
        summary=f"{after.total} of {before.total} questions stay; {share:.1%} of them are yes/no.",
        package=producer.package,
        version=producer.version,
        command=producer.command,
        counts={"in": before.total, "out": after.total, **drops},
        figures={"yes_no_share": round(share, 6)},
        panels=(
            Facts(title="In short", wide=True, facts=_facts(before, after, desk)),
            _flow(before, after, desk),
            _bars("Format", before.format, after.format),
            _bars("Modality", before.modality, after.modality),
            _bars("Dataset", before.dataset, after.dataset),
            _bars("Topic", before.topic, after.topic),
            _bars("Letter of the right option", before.answer, after.answer),
            _table("Why questions were left out", desk.drops),
            _table("What was decided", desk.notes),
            *_examples(desk),
        ),
    )


def _facts(before: Census, after: Census, desk: Desk) -> dict[str, str | int | float | None]:
    return {
        "questions in": before.total,
        "questions out": after.total,
        "yes/no before": f"{before.format['yes_no'] / before.total:.1%}",
        "yes/no after": f"{after.format['yes_no'] / after.total:.1%}",
        "opened": sum(n for (_, what), n in desk.notes.items() if what == "opened"),
    }


def _flow(before: Census, after: Census, desk: Desk) -> Panel:
    steps: Counter[str] = Counter()
    for (step, _), count in desk.drops.items():
        steps[step] += count
    links = [("read", "kept", float(after.total))]
    links += [("read", f"{step}", float(count)) for step, count in steps.items()]
    return Flow(title="Where the questions went", links=tuple(links), wide=True)


def _bars(title: str, before: Counter[str], after: Counter[str]) -> Panel:
    names = [name for name, _ in before.most_common(20)]
    names += [name for name, _ in after.most_common(20) if name not in names]
    totals = {"before": (before, sum(before.values())), "after": (after, sum(after.values()))}
    return Bars(
        title=title,
        y="share",
        series=tuple(
            Series(name=name, x=tuple(names), y=tuple(counts[n] / max(1, total) for n in names))
            for name, (counts, total) in totals.items()
        ),
    )


def _table(title: str, counts: Counter[tuple[str, str]]) -> Panel:
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return Table(
        title=title,
        columns=("step", "what", "questions"),
        rows=tuple((step, what, count) for (step, what), count in rows),
    )


def _examples(desk: Desk) -> list[Panel]:
    return [
        Table(title=f"{step}: {what}", wide=True, columns=("before", "after"), rows=tuple(pairs))
        for (step, what), pairs in sorted(desk.examples.items())
        if pairs
    ]
