"""`lingshu-rl run`: from a checkpoint and verifiable questions to a better checkpoint."""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lingshu_core.checkpoint import (
    STATE_NAME,
    Checkpoint,
    checkpoint_parent,
    describe,
    is_checkpoint,
    read_checkpoint,
)
from lingshu_core.console import say
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest, Parent, Producer
from lingshu_core.recipe import SETTINGS_NAME
from lingshu_rl.grpo import grpo_config, quiet_environment
from lingshu_rl.logbook import LOG, ROLLOUTS, Journal, RolloutFolder
from lingshu_rl.plan import Plan, make_plan
from lingshu_rl.reward import Scorer
from lingshu_rl.settings import TrainingRecipe

STAGE = "rl"


@dataclass(frozen=True)
class Run:
    """A run before its model is loaded."""

    recipe: TrainingRecipe
    out: Path
    producer: Producer
    parents: tuple[Parent, ...]

    @property
    def state(self) -> Path:
        """Where checkpoints to resume from lie."""
        return self.out / STATE_NAME

    @property
    def steps(self) -> Journal:
        """Figures of every optimizer step."""
        return Journal(self.out / LOG / "steps.jsonl")

    @property
    def rollouts(self) -> Journal:
        """Figures of every rollout."""
        return Journal(self.out / LOG / "rollouts.jsonl")

    @property
    def heldout(self) -> Journal:
        """Accuracy on questions that training does not see."""
        return Journal(self.out / LOG / "heldout.jsonl")

    @property
    def times(self) -> Journal:
        """Seconds by phase; the one journal in which two equal runs differ."""
        return Journal(self.out / LOG / "times.jsonl")


def train(recipe: TrainingRecipe, out: Path, *, dry_run: bool = False) -> None:
    """Runs a recipe, or goes on where it was stopped.

    Raises:
        SettingsError: The recipe does not fit its inputs, or `out` holds something else.
        DataError: A question or picture is broken.
        Stopped: An endpoint stayed away; the same command goes on.
    """
    run = _open(recipe, out)
    if is_checkpoint(out):
        _same(run)
        say(f"{out}: done already")
        return
    quiet_environment(cpu=recipe.hardware.device == "cpu")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    processor = _processor(recipe)
    questions = _questions(recipe, processor)
    plan = _plan(recipe, questions)
    if dry_run:
        return
    recipe.write(out / SETTINGS_NAME)
    trainer = _trainer(run, plan, questions, processor)
    resume = _rewind(run, plan)
    trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    _finish(run, plan, trainer)
    if trainer.setup.engine is not None:
        trainer.setup.engine.close()


def make_trainer(recipe: TrainingRecipe, out: Path) -> Any:
    """Returns the trainer of a recipe, ready to train, for those who want to look inside."""
    run = _open(recipe, out)
    quiet_environment(cpu=recipe.hardware.device == "cpu")
    processor = _processor(recipe)
    questions = _questions(recipe, processor)
    return _trainer(run, _plan(recipe, questions), questions, processor)


def _open(recipe: TrainingRecipe, out: Path) -> Run:
    for name in ("parent", "prompts"):
        if not getattr(recipe, name):
            raise SettingsError(f"the recipe names no {name!r}: give --set {name}=…")
    producer = Producer(
        package="lingshu-rl",
        version=version("lingshu-rl"),
        command="lingshu-rl run",
        settings=recipe.digest(),
    )
    manifests = (recipe.prompts, *([recipe.heldout] if recipe.heldout else []))
    parents = (
        checkpoint_parent(Path(recipe.parent)),
        *(Manifest(path).parent() for path in manifests),
    )
    return Run(recipe, out, producer, parents)


def _same(run: Run) -> None:
    found = read_checkpoint(run.out)
    if found.producer.settings != run.producer.settings:
        raise SettingsError(
            f"{run.out} was made with other settings: remove it, or name another --out"
        )
    if [p.digest for p in found.parents] != [p.digest for p in run.parents]:
        raise SettingsError(
            f"{run.out} was made from other inputs: remove it, or name another --out"
        )


def _processor(recipe: TrainingRecipe) -> Any:
    from lingshu_rl.loading import load_processor, quiet

    quiet()
    return load_processor(recipe.parent, recipe.lengths.max_pixels)


def _questions(recipe: TrainingRecipe, processor: Any) -> list[Any]:
    """Reads the prompts and leaves out those too long, which the trainer would not notice."""
    from lingshu_rl.questions import prompt_length, read_questions

    asked = read_questions(Manifest(recipe.prompts))
    kept = [item for item in asked if prompt_length(item, processor) <= recipe.lengths.prompt]
    if len(kept) < len(asked):
        say(f"{len(asked) - len(kept)} prompts exceed {recipe.lengths.prompt} tokens: left out")
    return kept


def _plan(recipe: TrainingRecipe, questions: Sequence[Any]) -> Plan:
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    plan = make_plan(
        recipe.batch,
        [bool(item.pictures) for item in questions],
        ranks=ranks,
        seed=recipe.seed,
        ease=_ease(questions) if recipe.batch.order == "easy_to_hard" else None,
    )
    if os.environ.get("RANK", "0") == "0":
        for line in plan.lines():
            say(line)
    return plan


def _ease(questions: Sequence[Any]) -> list[float]:
    """Returns the share of right answers that curation counted for each question."""
    found = []
    for item in questions:
        tags = item.question.tags
        if "passes" not in tags:
            raise DataError(
                "has no pass count: curate with the step `difficulty`, or set batch.order=shuffled",
                record=item.question.id,
            )
        found.append(int(tags["passes"]) / int(tags["samples"]))
    return found


def _trainer(run: Run, plan: Plan, questions: list[Any], processor: Any) -> Any:
    from transformers import PrinterCallback

    from lingshu_rl.engine import banned
    from lingshu_rl.heldout import Heldout
    from lingshu_rl.loading import freeze, join_ranks, load_model
    from lingshu_rl.progress import Progress
    from lingshu_rl.report import RolloutReport
    from lingshu_rl.trainer import Setup, Trainer

    recipe = run.recipe
    scorer = Scorer(recipe.rewards, _judge(run))
    config = grpo_config(recipe, plan, run.state, scorer.weights, list(banned(processor)))
    report = RolloutReport(
        model=recipe.name,
        task=STAGE,
        scorer=scorer,
        responses=plan.responses,
        folder=RolloutFolder(run.out / ROLLOUTS),
        journal=run.rollouts,
        times=run.times,
    )
    setup = Setup(
        questions=questions,
        plan=plan,
        scorer=scorer,
        report=report,
        engine=_engine(run, questions, processor),
        greatest_gap=recipe.engine.greatest_gap,
        resampling=recipe.objective.resampling,
        shuffle_rewards=recipe.shuffle_rewards,
    )
    if recipe.hardware.deepspeed != "none":
        join_ranks(cpu=recipe.hardware.device == "cpu")
    # Without DeepSpeed's master copy a small step would vanish in the rounding of bfloat16.
    sharded = recipe.hardware.deepspeed != "none"
    model = load_model(recipe.parent, recipe.hardware.precision if sharded else "float32")
    freeze(model, recipe.optimizer.freeze)
    trainer = Trainer(
        setup,
        model=model,
        args=config,
        processing_class=processor,
        callbacks=[Progress(run.steps, report, plan, keep=recipe.keep)],
    )
    trainer.remove_callback(PrinterCallback)
    if recipe.heldout:
        measure = Heldout(
            Path(recipe.heldout),
            run.heldout,
            recipe.heldout_every,
            _start(run, questions, processor),
        )
        measure.trainer = trainer
        trainer.add_callback(measure)
    return trainer


def _judge(run: Run) -> Any:
    from lingshu_rl.judge import Judge

    settings = run.recipe.judge
    if settings is None:
        return None
    return Judge(settings, Path(settings.cache) if settings.cache else run.state / "judge.sqlite")


def _engine(run: Run, questions: Sequence[Any], processor: Any) -> Any:
    """Starts the engine that samples; None where the training model does it itself."""
    from lingshu_rl.engine import ENGINES

    recipe = run.recipe
    kind = ENGINES.get(recipe.engine.name)
    if kind.shares_model:
        return None
    return kind.start(_start(run, questions, processor))


def _start(run: Run, questions: Sequence[Any], processor: Any) -> Any:
    from lingshu_rl.engine import Start

    recipe = run.recipe
    return Start(
        checkpoint=Path(recipe.parent),
        processor=processor,
        settings=recipe.engine,
        max_length=recipe.lengths.total,
        precision=recipe.hardware.precision,
        scratch=run.state,
        max_images=max(len(item.pictures) for item in questions),
        rank=int(os.environ.get("RANK", "0")),
    )


def _rewind(run: Run, plan: Plan) -> Path | None:
    """Returns the checkpoint to go on from, having forgotten what comes after it."""
    from lingshu_rl.trainer import last_whole, step_of

    resume = last_whole(run.state)
    step = step_of(resume) if resume else 0
    if os.environ.get("RANK", "0") == "0":
        rollouts = step // plan.updates_per_rollout
        RolloutFolder(run.out / ROLLOUTS).rewind(rollouts)
        run.steps.rewind(step)
        run.times.rewind(step)
        run.rollouts.rewind(step - 1)
        run.heldout.rewind(step)
        if resume:
            say(f"going on from step {step} of {plan.updates}")
    return resume


def _finish(run: Run, plan: Plan, trainer: Any) -> None:
    from lingshu_rl.page import publish_run

    trainer.save_model(str(run.out))
    if not trainer.accelerator.is_main_process:
        return
    (run.out / "training_args.bin").unlink(missing_ok=True)
    RolloutFolder(run.out / ROLLOUTS).finish(run.producer, run.parents)
    figures = publish_run(run.out, run.recipe, run.producer)
    describe(
        run.out,
        Checkpoint(
            stage=STAGE,
            recipe=run.recipe.name,
            producer=run.producer,
            parents=run.parents,
            steps=plan.updates,
            samples=len(plan.order) * plan.responses,
            metrics=figures,
            versions={name: version(name) for name in ("torch", "transformers", "trl")},
        ),
    )
    say(f"{run.out}: {plan.updates} updates, reward {figures.get('reward_last_quarter', 0):.3f}")
