"""The batteries of answers, and how often each reward errs on them."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from lingshu_core.golds import ChoiceGold, Gold
from lingshu_core.records import Option, Question, Source
from lingshu_rl.reward import REWARDS

FOLDER = Path(__file__).parent / "answers"
SOURCE = Source(dataset="toy", licence="CC0-1.0")
_GOLD: TypeAdapter[Gold] = TypeAdapter(Gold)


@dataclass(frozen=True)
class Sample:
    """A response whose verdict is known."""

    reward: str
    battery: str
    kind: str
    question: Question
    response: str
    right: bool

    def errs(self) -> bool:
        """Says whether the reward is wrong about it."""
        return (_reward(self.reward).score(self.question, self.response).value == 1.0) != self.right


# The registry looks through all installed packages each time.
_reward = cache(REWARDS.get)


def samples() -> Iterator[Sample]:
    """Yields every response of the batteries."""
    for battery in ("ordinary", "adversarial"):
        data = tomllib.loads((FOLDER / f"{battery}.toml").read_text(encoding="utf-8"))
        for case in data["case"]:
            yield from _accuracy(battery, case)
        for forms in data.get("format", ()):
            for side in ("malformed", "well_formed"):
                question = _question(ChoiceGold(letter="C", text="Cyst"), ["Mass", "Scar", "Cyst"])
                for text in forms[side]:
                    right = side == "well_formed"
                    name = "ordinary" if right else "adversarial"
                    yield Sample("format", name, "form", question, text, right)
    yield from _probes()


def first_sight() -> Iterator[Sample]:
    """Yields the answers whose first verdicts were kept; the grammar was mended on them later."""
    for case in _first_sight()["case"]:
        yield from _accuracy("first_sight", case)


def sittings() -> list[dict]:
    """Returns how those answers were written and what was said of them at first sight."""
    return _first_sight()["sitting"]


def _first_sight() -> dict:
    return tomllib.loads((FOLDER / "first_sight.toml").read_text(encoding="utf-8"))


def _accuracy(battery: str, case: dict) -> Iterator[Sample]:
    gold = _GOLD.validate_python(case["gold"])
    question = _question(gold, case.get("options", []))
    for side in ("right", "wrong", "known"):
        for text in case.get(side, ()):
            response = text if case.get("raw") else _response(text)
            name = "known" if side == "known" else battery
            yield Sample("accuracy", name, gold.kind, question, response, side == "right")


def _probes() -> Iterator[Sample]:
    data = tomllib.loads((FOLDER / "reasoning.toml").read_text(encoding="utf-8"))
    question = _question(ChoiceGold(letter="C", text="Left kidney"), data["options"])
    question = question.replace(question=data["question"])
    for probe in ("reasoning", "copying", "stuffing"):
        for side in ("hacked", "honest"):
            for text in data[probe][side]:
                response = (
                    _response(text)
                    if probe == "stuffing"
                    else f"<think>{text}</think><answer>C</answer>"
                )
                name = "ordinary" if side == "honest" else "adversarial"
                yield Sample(probe, name, "thought", question, response, side == "honest")


def _response(answer: str) -> str:
    return f"<think>The image was examined.</think><answer>{answer}</answer>"


def _question(gold: Gold, options: list[str]) -> Question:
    letters = tuple(Option(letter=k, text=t) for k, t in zip("ABCDEFG", options, strict=False))
    return Question(
        id="toy/1",
        source=SOURCE,
        modality="ct",
        question="What is seen?",
        answer=gold.letter if letters else "as the gold says",
        answer_kind="choice" if letters else "open",
        options=letters,
        gold=gold,
    )
