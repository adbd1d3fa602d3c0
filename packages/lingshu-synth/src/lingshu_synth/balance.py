"""Keeps questions free of shortcuts: no letter and neither of yes and no is favoured."""

import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from string import ascii_uppercase

from lingshu_core.records import Option


class Letters:
    """Gives the right option a letter so that all letters are right equally often.

    For each number of options the counts of two letters never differ by more than 1; within a
    group (dataset, topic) they are kept as even as that allows.
    """

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(f"letters/{seed}")
        self._overall: dict[int, Counter[int]] = defaultdict(Counter)
        self._within: dict[Hashable, Counter[int]] = defaultdict(Counter)

    def arrange(
        self, right: str, wrong: Sequence[str], group: Hashable
    ) -> tuple[tuple[Option, ...], str]:
        """Returns the options in order, and the letter of the right one."""
        count = len(wrong) + 1
        overall, within = self._overall[count], self._within[group, count]
        place = min(range(count), key=lambda i: (overall[i], within[i], self._rng.getrandbits(32)))
        overall[place] += 1
        within[place] += 1
        texts = list(wrong)
        self._rng.shuffle(texts)
        texts.insert(place, right)
        options = tuple(
            Option(letter=ascii_uppercase[i], text=text) for i, text in enumerate(texts)
        )
        return options, ascii_uppercase[place]


class YesNo:
    """Chooses between a question whose answer is yes and one whose answer is no."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(f"yes-no/{seed}")
        self._lean: Counter[Hashable] = Counter()

    def pick(self, group: Hashable, yes: Sequence[str], no: Sequence[str]) -> tuple[str, bool]:
        """Returns what to ask about, and whether the answer is yes.

        What a group leans to (more yes than no) comes first, then what the value leans to.
        """

        def lean(value: str, answer: bool) -> tuple[int, int, int]:
            step = 1 if answer else -1
            return (
                abs(self._lean[group] + step),
                abs(self._lean[group, value] + step),
                self._rng.getrandbits(32),
            )

        candidates = [(value, True) for value in yes] + [(value, False) for value in no]
        value, answer = min(candidates, key=lambda pair: lean(*pair))
        step = 1 if answer else -1
        self._lean[group] += step
        self._lean[group, value] += step
        return value, answer


class Evener:
    """Thins the more frequent of two answers to the number of the rarer one, exactly.

    Every question is announced first; then, met again in the same order, as many of the more
    frequent answer are let through as there are of the other, evenly drawn.
    """

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(f"even/{seed}")
        self._announced: Counter[tuple[Hashable, bool]] = Counter()
        self._seen: Counter[tuple[Hashable, bool]] = Counter()
        self._let: Counter[tuple[Hashable, bool]] = Counter()

    def announce(self, group: Hashable, answer: bool) -> None:
        """Counts a question that will come."""
        self._announced[group, answer] += 1

    def admit(self, group: Hashable, answer: bool) -> bool:
        """Says whether a question is kept; exactly as many are as of the other answer."""
        mine, other = self._announced[group, answer], self._announced[group, not answer]
        key = (group, answer)
        left, wanted = mine - self._seen[key], min(mine, other) - self._let[key]
        self._seen[key] += 1
        # Selection sampling: each of the `left` is taken with probability wanted / left.
        kept = self._rng.random() * left < wanted
        self._let[key] += kept
        return kept
