"""Accuracy on questions that training does not see, measured greedily while it goes on."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accelerate.utils import gather_object
from transformers import TrainerCallback
from trl.models.utils import unwrap_model_for_generation

from lingshu_core.answers import check, read_format
from lingshu_core.manifest import Manifest
from lingshu_rl.engine import Prompt, Sampling, Start
from lingshu_rl.logbook import Journal
from lingshu_rl.questions import Asked, open_pictures, read_questions


class Heldout(TrainerCallback):
    """Measures before the first step, at rollout borders, and after the last.

    Args:
        manifest: Questions with golds.
        journal: Where the figures go: a line a measurement.
        every: Rollouts between two measurements; 0: only before and after.
        start: What the transformers engine is made with.
    """

    def __init__(self, manifest: Path, journal: Journal, every: int, start: Start) -> None:
        self._asked = read_questions(Manifest(manifest))
        self._journal, self._every, self._start = journal, every, start
        self.trainer: Any = None
        """Set once it exists: the trainer takes its callbacks first."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Measures the checkpoint that training starts from."""
        if state.global_step == 0:
            self.measure(0)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Measures where a rollout ends."""
        plan = self.trainer.setup.plan
        rollouts, rest = divmod(state.global_step, plan.updates_per_rollout)
        due = self._every and rollouts % self._every == 0
        if not rest and (due or rollouts == plan.rollouts):
            self.measure(state.global_step)

    def measure(self, step: int) -> None:
        """Answers every question once and writes down how many are right, by kind and topic."""
        trainer = self.trainer
        rank, ranks = trainer.accelerator.process_index, trainer.accelerator.num_processes
        mine = self._asked[rank::ranks]
        texts = self._answer(mine)
        marks = [
            (item.question, _marks(item, text)) for item, text in zip(mine, texts, strict=True)
        ]
        rows = gather_object(
            [(q.gold.kind if q.gold else "", q.tags.get("topic", ""), *m) for q, m in marks]
        )
        if trainer.accelerator.is_main_process:
            self._journal.add({"step": step, **_figures(rows)})

    def _answer(self, asked: Sequence[Asked]) -> list[str]:
        """Returns the greedy answers of the model as it is now."""
        from lingshu_rl.engines.hf import HfEngine

        trainer = self.trainer
        limit = Sampling(n=1, max_tokens=int(trainer.max_completion_length), temperature=0.0)
        training = trainer.model.training
        with unwrap_model_for_generation(trainer.model_wrapped, trainer.accelerator) as model:
            model.eval()
            engine = HfEngine(self._start, model)
            opened = open_pictures(asked)
            prompts = []
            for item in asked:
                pictures = tuple(opened[path] for path in item.pictures)
                prompts.append(Prompt((), item.chat(pictures), pictures, seed=0))
            samples = engine.generate(prompts, limit)
        trainer.model.train(training)
        ids = [group[0].ids for group in samples]
        return list(trainer.processing_class.batch_decode(ids, skip_special_tokens=True))


def _marks(asked: Asked, text: str) -> tuple[bool, bool]:
    """Returns whether an answer is right, and whether it has the form."""
    question = asked.question
    assert question.gold is not None
    options = {option.letter: option.text for option in question.options} or None
    right = check(question.gold, text, options=options).verdict == "right"
    return right, read_format(text) is not None


def _figures(rows: Sequence[tuple[str, str, bool, bool]]) -> dict[str, Any]:
    by: dict[str, dict[str, list[bool]]] = {"gold": defaultdict(list), "topic": defaultdict(list)}
    for kind, topic, right, _ in rows:
        by["gold"][kind].append(right)
        by["topic"][topic].append(right)
    shares = {
        f"by_{name}": {key: sum(v) / len(v) for key, v in sorted(groups.items())}
        for name, groups in by.items()
    }
    return {
        "n": len(rows),
        "accuracy": sum(row[2] for row in rows) / len(rows),
        "format": sum(row[3] for row in rows) / len(rows),
        **shares,
    }
