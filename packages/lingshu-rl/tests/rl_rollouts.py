"""The folder of a run as large as wanted, its answers drawn and not sampled by a model."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from lingshu_core.digest import record_id
from lingshu_core.files import write_atomic
from lingshu_core.manifest import Manifest
from lingshu_core.recipe import SETTINGS_NAME, find_recipe, load_recipe
from lingshu_core.records import Prediction, Question
from lingshu_rl.logbook import LOG, ROLLOUTS, Journal, RolloutFolder
from lingshu_rl.reward import REWARDS
from lingshu_rl.settings import TrainingRecipe

_WORDS = (
    "the",
    "picture",
    "is",
    "evenly",
    "lit",
    "and",
    "its",
    "mean",
    "level",
    "is",
    "high",
    "so",
)
_SHA256 = hashlib.sha256(b"drawn").hexdigest()


def write_run(folder: Path, prompts: Path, rollouts: int, groups: int, replicas: int = 16) -> Path:
    """Writes a run of `rollouts` x `groups` x `replicas` answers; returns its folder.

    The rewards are those that the shipped rewards give to the drawn answers.
    """
    recipe = load_recipe(TrainingRecipe, find_recipe("lingshu_rl", "nano"), [f"prompts={prompts}"])
    write_atomic(folder / SETTINGS_NAME, recipe.model_dump_json())
    questions = list(Manifest(prompts).of(Question))
    book, draw = RolloutFolder(folder / ROLLOUTS), random.Random(0)
    lines, steps = Journal(folder / LOG / "rollouts.jsonl"), Journal(folder / LOG / "steps.jsonl")
    known: dict[tuple[str, str], dict] = {}
    for rollout in range(rollouts):
        asked = [draw.choice(questions) for _ in range(groups)]
        answers = [
            answer
            for place, question in enumerate(asked)
            for answer in _group(question, rollout, place, replicas, draw, known)
        ]
        book.add(rollout, answers)
        lines.add({"step": rollout, **_figures(answers, groups)})
        steps.add({"step": rollout + 1, "loss": draw.random(), "kl": draw.random() / 100})
    return folder


def _figures(answers: list[Prediction], groups: int) -> dict[str, object]:
    rewards = {n: fmean(a.rewards[n] or 0.0 for a in answers) for n in ("format", "accuracy")}
    total = rewards["accuracy"] + rewards["format"] / 2
    return {
        "reward": total,
        "rewards": rewards,
        "tokens": 70.0,
        "cut": 0.0,
        "groups": groups,
        "even": 0,
        "reasons": {},
        "by_source": {"toy": total},
        "by_modality": {"other": total},
        "by_gold": {"choice": total},
    }


def _group(
    question: Question,
    rollout: int,
    place: int,
    replicas: int,
    draw: random.Random,
    known: dict[tuple[str, str], dict],
) -> Iterator[Prediction]:
    for replica in range(replicas):
        thought = " ".join(draw.choices(_WORDS, k=60))
        letter = draw.choice("AAABBBC")
        text = f"<think>{thought}</think><answer>{letter}</answer>"
        # The thought is always made of the same words: the verdict follows from the letter.
        if (question.id, letter) not in known:
            known[question.id, letter] = {
                n: REWARDS.get(n).score(question, text) for n in ("format", "accuracy")
            }
        verdicts = known[question.id, letter]
        yield Prediction(
            id=record_id("drawn", str(rollout), str(place), str(replica)),
            source=question.source,
            modality=question.modality,
            item=question.id,
            task="rl",
            model="drawn",
            prompt_sha256=_SHA256,
            response=text,
            finish_reason="stop",
            completion_tokens=70,
            replica=replica,
            step=rollout,
            rewards={name: found.value for name, found in verdicts.items()},
            tags={f"why_{name}": found.reason for name, found in verdicts.items()}
            | {"attempt": str(place)},
        )
