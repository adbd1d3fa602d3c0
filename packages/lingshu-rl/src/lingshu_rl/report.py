"""What is told of every rollout: the answers as records, and figures by source and modality."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from lingshu_core.digest import record_id
from lingshu_core.records import Prediction, Question
from lingshu_rl.logbook import Journal, RolloutFolder
from lingshu_rl.reward import Scored, Scorer


@dataclass(frozen=True)
class Answer:
    """One answer of a rollout, scored."""

    question: Question
    prompt_sha256: str
    text: str
    tokens: int
    stopped: bool
    """Whether the model ended it, rather than the limit."""
    scored: Scored
    attempt: int = 0
    """Which attempt of dynamic sampling it belongs to; 0 is the rollout itself."""


@dataclass
class RolloutReport:
    """Writes a rollout down: records, and one line of figures."""

    model: str
    """Name that the records carry."""
    task: str
    scorer: Scorer
    responses: int
    """Answers to a prompt, which stand side by side."""
    folder: RolloutFolder
    journal: Journal
    times: Journal
    reward: float | None = None
    """Mean reward of the last rollout."""
    _spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, rollout: int, step: int, answers: Sequence[Answer]) -> None:
        """Writes the answers of a rollout and its figures."""
        self.folder.add(rollout, self._records(step, answers))
        first = [answer for answer in answers if answer.attempt == 0]
        line = {"step": step, "rollout": rollout, **self.figures(first)}
        if len(first) < len(answers):
            line["resampled"] = len(answers) - len(first)
        self.reward = line["reward"]
        self.journal.add(line)

    def spent(self, phase: str, seconds: float) -> None:
        """Adds to the time that a phase has taken since the last step was told."""
        self._spent[phase] += seconds

    def told(self, step: int) -> None:
        """Writes the times of a step."""
        self.times.add({"step": step, **{k: round(v, 4) for k, v in self._spent.items()}})
        self._spent.clear()

    def figures(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """Returns the figures of a rollout, means over its answers."""
        totals = [self.scorer.total(answer.scored) for answer in answers]
        groups = [totals[i : i + self.responses] for i in range(0, len(totals), self.responses)]
        return {
            "reward": _mean(totals),
            "rewards": {
                name: _mean(answer.scored.value(name) for answer in answers)
                for name in self.scorer.names
            },
            "untold": sum(total is None for total in totals) / len(totals),
            "tokens": fmean(answer.tokens for answer in answers),
            "cut": sum(not answer.stopped for answer in answers) / len(answers),
            "groups": len(groups),
            "even": sum(_even(group) for group in groups),
            "vetoes": dict(
                sorted(Counter(a.scored.vetoed for a in answers if a.scored.vetoed).items())
            ),
            "reasons": dict(sorted(self._reasons(answers).items())),
            "by_source": self._by(answers, totals, lambda q: q.source.dataset),
            "by_modality": self._by(answers, totals, lambda q: q.modality.value),
            "by_gold": self._by(answers, totals, lambda q: q.gold.kind if q.gold else "none"),
        }

    def _records(self, step: int, answers: Sequence[Answer]) -> Iterable[Prediction]:
        replicas: Counter[str] = Counter()
        for answer in answers:
            question, scored = answer.question, answer.scored
            replica = replicas[question.id]
            replicas[question.id] += 1
            yield Prediction(
                id=record_id("rollout", question.id, str(step), str(replica)),
                source=question.source,
                domain=question.domain,
                modality=question.modality,
                language=question.language,
                tags={**question.tags, **_tags(answer)},
                item=question.id,
                task=self.task,
                model=self.model,
                prompt_sha256=answer.prompt_sha256,
                response=answer.text,
                finish_reason="stop" if answer.stopped else "length",
                completion_tokens=answer.tokens,
                replica=replica,
                step=step,
                rewards={name: scored.value(name) for name in self.scorer.names},
            )

    def _reasons(self, answers: Sequence[Answer]) -> Counter[str]:
        return Counter(
            f"{name}:{verdict.reason}"
            for answer in answers
            for name, verdict in answer.scored.verdicts.items()
        )

    def _by(
        self,
        answers: Sequence[Answer],
        totals: Sequence[float | None],
        key: Callable[[Question], str],
    ) -> Mapping[str, float | None]:
        found: dict[str, list[float | None]] = defaultdict(list)
        for answer, total in zip(answers, totals, strict=True):
            found[key(answer.question)].append(total)
        return {name: _mean(found[name]) for name in sorted(found)}


def _tags(answer: Answer) -> dict[str, str]:
    """Returns why each reward is what it is, and what else sets an answer apart."""
    tags = {f"why_{name}": found.reason for name, found in answer.scored.verdicts.items()}
    if answer.scored.vetoed:
        tags["veto"] = answer.scored.vetoed
    if answer.attempt:
        tags["attempt"] = str(answer.attempt)
    return tags


def _mean(values: Iterable[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return fmean(told) if told else None


def _even(group: Sequence[float | None]) -> bool:
    """Says whether a group teaches nothing: all that could be told are equal."""
    told = [value for value in group if value is not None]
    return not told or max(told) - min(told) < 1e-9
