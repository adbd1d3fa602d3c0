"""What a reward is, and how all of them score an answer together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lingshu_core.records import Question
from lingshu_core.registry import Registry
from lingshu_rl.settings import Reward as RewardSettings


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one reward says about one answer."""

    value: float | None
    """From 0 to 1; None where it cannot be told, so that the answer teaches nothing."""
    reason: str
    """The rule that decided, as a short slug."""


@dataclass(frozen=True)
class Reward:
    """One reward: a file of `rewards/`, or an entry point of the group `lingshu_rl.rewards`."""

    name: str
    score: Callable[[Question, str], Verdict]
    """Of the question with its gold, and the raw response."""
    summary: str = ""


REWARDS: Registry[Reward] = Registry(
    folder="lingshu_rl.rewards", group="lingshu_rl.rewards", attribute="REWARD", kind=Reward
)

Referee = Callable[[Sequence[tuple[Question, str]]], list[Verdict]]
"""Decides what the rules leave open: the judge, for many answers at once."""

OPEN = "unknown"
"""The reason of a verdict that the rules leave open."""


@dataclass(frozen=True)
class Scored:
    """One answer with the verdicts of all rewards."""

    verdicts: Mapping[str, Verdict]
    vetoed: str = ""
    """The reward whose veto made all others 0."""

    def value(self, name: str) -> float | None:
        """Returns what a reward counts for, vetoes applied."""
        if any(verdict.value is None for verdict in self.verdicts.values()):
            return None
        return 0.0 if self.vetoed else self.verdicts[name].value


class Scorer:
    """Scores answers by several rewards.

    An answer that one reward cannot tell has no reward at all: the trainer would count what is
    missing as 0, and half a reward teaches the wrong thing.

    Args:
        settings: Weight and veto of each reward, by name.
        referee: Who is asked where the rules say `unknown`; without one such an answer is wrong.
    """

    def __init__(
        self, settings: Mapping[str, RewardSettings], referee: Referee | None = None
    ) -> None:
        self.settings = dict(settings)
        self._rewards = {name: REWARDS.get(name) for name in settings}
        self._referee = referee
        self._last: tuple[tuple[tuple[str, str], ...], list[Scored]] = ((), [])

    @property
    def names(self) -> list[str]:
        """The names of the rewards, in the order of the recipe."""
        return list(self.settings)

    @property
    def weights(self) -> list[float]:
        """What full marks of each add to the sum."""
        return [setting.weight for setting in self.settings.values()]

    def __call__(self, asked: Iterable[tuple[Question, str]]) -> list[Scored]:
        """Returns the verdicts on answers; the last batch is remembered."""
        pairs = list(asked)
        key = tuple((question.id, response) for question, response in pairs)
        if key != self._last[0]:
            self._last = (key, self._score(pairs))
        return self._last[1]

    def total(self, scored: Scored) -> float | None:
        """Returns the weighted sum of an answer's rewards, None where it has none."""
        values = [scored.value(name) for name in self.settings]
        if any(value is None for value in values):
            return None
        return sum(w * (v or 0.0) for w, v in zip(self.weights, values, strict=True))

    def columns(self) -> list[Callable[..., list[float | None]]]:
        """Returns one function a reward, as TRL's trainers take them.

        They read the column `record` of the data set (the questions).
        """
        return [self._column(name) for name in self.settings]

    def _score(self, pairs: Sequence[tuple[Question, str]]) -> list[Scored]:
        rows = [
            {name: reward.score(*pair) for name, reward in self._rewards.items()} for pair in pairs
        ]
        if self._referee is not None:
            self._ask(pairs, rows, self._referee)
        return [Scored(row, self._veto(row)) for row in rows]

    def _ask(
        self,
        pairs: Sequence[tuple[Question, str]],
        rows: Sequence[dict[str, Verdict]],
        referee: Referee,
    ) -> None:
        for name in self._rewards:
            left = [i for i, row in enumerate(rows) if row[name].reason == OPEN]
            told = referee([pairs[i] for i in left]) if left else []
            for i, verdict in zip(left, told, strict=True):
                rows[i][name] = verdict

    def _veto(self, row: Mapping[str, Verdict]) -> str:
        return next(
            (n for n, setting in self.settings.items() if setting.veto and row[n].value == 0.0), ""
        )

    def _column(self, name: str) -> Callable[..., list[float | None]]:
        def column(
            *, completions: Sequence[Any], record: Sequence[Question], **_: Any
        ) -> list[float | None]:
            texts = [c if isinstance(c, str) else c[-1]["content"] for c in completions]
            return [scored.value(name) for scored in self(zip(record, texts, strict=True))]

        column.__name__ = name
        return column
