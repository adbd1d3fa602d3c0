"""A thin subclass of TRL's GRPOTrainer: where its stack leaks, it is closed here.

Overridden are: how a batch becomes prompts (pictures decoded once a rollout, text and pictures
never mixed), who samples (an engine of ours, whose probabilities the correction then uses), how
a checkpoint is loaded (every tensor or an error) and when it counts as whole. Advantages, losses,
divergence and the distributed machinery are TRL's.
"""

import random
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object
from datasets import Dataset
from trl.trainer.grpo_trainer import GRPOTrainer

from lingshu_core.errors import DataError, LingshuError
from lingshu_core.files import write_atomic
from lingshu_rl.engine import Engine, Prompt, Sampling, banned, seed_of
from lingshu_rl.plan import Plan
from lingshu_rl.questions import Asked, open_pictures
from lingshu_rl.report import Answer, RolloutReport
from lingshu_rl.resampling import even_groups, replace_groups, spare_rows
from lingshu_rl.reward import Scorer

WHOLE = "whole"
"""A file in a checkpoint to resume from, written last."""


@dataclass(frozen=True)
class Setup:
    """What a run is made of, beside the model."""

    questions: Sequence[Asked]
    """What is asked, addressed by row."""
    plan: Plan
    """Which rows make which rollout."""
    scorer: Scorer
    """All rewards together."""
    report: RolloutReport
    """Where every answer goes."""
    engine: Engine | None = None
    """Who samples; None: the training model itself, by TRL's own way."""
    greatest_gap: float = 0.1
    """Mean difference of log-probabilities at which the engine is not believed."""
    resampling: int = 0
    """How often groups of equal rewards are tried anew with other prompts."""
    shuffle_rewards: bool = False
    """Whether rewards are dealt out at random (the control experiment)."""


class Trainer(GRPOTrainer):
    """GRPO over verifiable questions; takes a `Setup` and what `GRPOTrainer` takes."""

    def __init__(self, setup: Setup, **base: Any) -> None:
        self.setup = setup
        self._asked: list[Asked] = []
        self._opened: dict[Path, Any] = {}
        self._sampled: list[Answer] = []
        self._kept: list[Answer] = []
        self._used: list[Answer] = []
        self._synced = -1
        dataset = Dataset.from_dict({"row": list(setup.plan.order)})
        columns: Any = setup.scorer.columns()
        super().__init__(reward_funcs=columns, train_dataset=dataset, **base)
        self._banned = set(banned(self.processing_class))
        # What TRL asks when it corrects for the gap between an engine's probabilities and its own.
        self.use_vllm = setup.engine is not None

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Writes no model card: `lingshu.json` says where a checkpoint comes from."""

    @property
    def rollout(self) -> int:
        """Number of the rollout that the current step learns from."""
        return int(self.state.global_step) // self.setup.plan.updates_per_rollout

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        start = time.perf_counter()
        output = self._rollout(inputs, attempt=0)
        for attempt in range(1, self.setup.resampling + 1):
            even = even_groups(self._totals(), self.setup.plan.responses)
            most = max(gather_object([len(even)]))
            if not most:
                break
            output = self._resample(output, inputs, even, most, attempt)
        answers = gather_object(self._kept)
        if self.accelerator.is_main_process:
            self.setup.report.add(self.rollout, int(self.state.global_step), answers)
        self.setup.report.spent("rollout", time.perf_counter() - start)
        return output

    def _rollout(self, inputs: Sequence[dict[str, Any]], *, attempt: int) -> dict[str, Any]:
        """Samples and scores answers to some rows; the answers are remembered."""
        output: dict[str, Any] = super()._generate_and_score_completions(self._fill(inputs))
        self._believe()
        self._sampled = [replace(answer, attempt=attempt) for answer in self._sampled]
        self._kept = [*self._kept, *self._sampled] if attempt else list(self._sampled)
        self._used = self._used if attempt else list(self._sampled)
        return output

    def _totals(self) -> list[float | None]:
        return [self.setup.scorer.total(answer.scored) for answer in self._used]

    def _resample(
        self,
        output: dict[str, Any],
        inputs: Sequence[dict[str, Any]],
        even: Sequence[int],
        most: int,
        attempt: int,
    ) -> dict[str, Any]:
        """Puts groups of fresh prompts where all answers of a group have the same reward.

        Every rank asks as many as the one that needs most, so that all go through the same steps.
        """
        pictured = bool(self.setup.questions[inputs[0]["row"]].pictures)
        candidates = [i for i, q in enumerate(self.setup.questions) if bool(q.pictures) == pictured]
        place = f"{self.args.seed}/{self.rollout}/{attempt}/{self.accelerator.process_index}"
        rows = spare_rows(candidates, {row["row"] for row in inputs}, most, place)
        size = self.setup.plan.responses
        used = self._used
        fresh = self._rollout([{"row": row} for row in rows for _ in range(size)], attempt=attempt)
        totals = [self.setup.scorer.total(answer.scored) for answer in self._sampled]
        useful = [i for i in range(most) if i not in even_groups(totals, size)]
        pairs = list(zip(even, useful, strict=False))
        for goes, comes in pairs:
            used[goes * size : (goes + 1) * size] = self._sampled[comes * size : (comes + 1) * size]
        padding = int(self._tokenizer.pad_token_id)
        output = replace_groups(output, fresh, pairs, size=size, padding=padding)
        tokens = self.accelerator.gather(output["completion_mask"].sum()).sum()
        return {**output, "num_items_in_batch": tokens}

    def _fill(self, inputs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Turns row numbers into prompts; every distinct picture is decoded once."""
        asked = [self.setup.questions[row["row"]] for row in inputs]
        if len({bool(item.pictures) for item in asked}) > 1:
            raise DataError("a rollout mixes prompts with pictures and prompts without")
        self._asked, self._opened = asked, open_pictures(asked)
        filled = []
        for item in asked:
            images = [self._opened[path] for path in item.pictures]
            entry = {"prompt": item.chat(), "record": item.question, "asked": item}
            if images:
                entry["images"] = images
            filled.append(entry)
        return filled

    def _generate_single_turn(
        self,
        prompt_ids: list[list[int]],
        images: list[Any] | None,
        multimodal_fields: dict[str, Any],
        num_generations: int,
        has_tool_images: bool = False,
    ) -> tuple[list[list[int]], list[list[float]] | None]:
        if self.setup.engine is None:
            answers, logprobs = super()._generate_single_turn(  # type: ignore[no-untyped-call]
                prompt_ids, images, multimodal_fields, num_generations, has_tool_images
            )
        else:
            answers, logprobs = self._sample(self.setup.engine, prompt_ids, num_generations)
        if any(self._banned.intersection(ids) for ids in answers):
            raise LingshuError("an answer holds a picture token, which the model could not be fed")
        return answers, logprobs

    def _sample(
        self, engine: Engine, prompt_ids: Sequence[Sequence[int]], n: int
    ) -> tuple[list[list[int]], list[list[float]]]:
        """Asks the engine once for each group of rows, which share their prompt."""
        step = int(self.state.global_step)
        if step != self._synced:
            start = time.perf_counter()
            engine.sync(self._weights)
            self.accelerator.wait_for_everyone()
            self._synced = step
            self.setup.report.spent("sync", time.perf_counter() - start)
        prompts = []
        for row in range(0, len(prompt_ids), n):
            item = self._asked[row]
            pictures = tuple(self._opened[path] for path in item.pictures)
            seed = seed_of(self.args.seed, step, item.question.id)
            prompts.append(Prompt(tuple(prompt_ids[row]), item.chat(pictures), pictures, seed))
        sampling = Sampling(n, int(self.max_completion_length or 0), self.temperature)
        samples = [one for group in engine.generate(prompts, sampling) for one in group]
        self.accelerator.wait_for_everyone()
        return [one.ids for one in samples], [one.logprobs for one in samples]

    def _weights(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Yields the weights under every name they have; under ZeRO-3 one is gathered at a time."""
        model = self.accelerator.unwrap_model(self.model)
        for name, parameter in model.named_parameters(remove_duplicate=False):
            with self._dist.gather_params([parameter]):
                yield name, parameter.data

    def _believe(self) -> None:
        """Stops where the engine's probabilities are not those of the training model."""
        gaps = self._metrics["train"].get("sampling/sampling_logp_difference/mean", [])
        if gaps and gaps[-1] > self.setup.greatest_gap:
            raise LingshuError(
                f"the engine's log-probabilities differ from the trainer's by {gaps[-1]:.3f} a "
                f"token at step {self.state.global_step}: does it serve the checkpoint of `parent`?"
            )

    def _calculate_rewards(
        self,
        inputs: list[dict[str, Any]],
        prompts: list[Any],
        completions: list[Any],
        completion_ids_list: list[list[int]],
    ) -> torch.Tensor:
        rewards: torch.Tensor = super()._calculate_rewards(
            inputs, prompts, completions, completion_ids_list
        )
        if self.setup.shuffle_rewards:
            order = list(range(len(rewards)))
            random.Random(f"{self.args.seed}/{self.state.global_step}").shuffle(order)
            rewards = rewards[order]
        texts = [completion[-1]["content"] for completion in completions]
        pairs = [(row["record"], text) for row, text in zip(inputs, texts, strict=True)]
        stops = set(self.eos_token_ids)
        self._sampled = [
            Answer(
                question=row["record"],
                prompt_sha256=row["asked"].prompt_sha256,
                text=text,
                tokens=len(ids),
                stopped=ids[-1] in stops,
                scored=found,
            )
            for row, text, ids, found in zip(
                inputs, texts, completion_ids_list, self.setup.scorer(pairs), strict=True
            )
        ]
        return rewards

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)  # type: ignore[no-untyped-call]
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            folder = Path(str(self.args.output_dir))
            write_atomic(folder / f"checkpoint-{self.state.global_step}" / WHOLE, "")

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """Loads every tensor; the Trainer's own way knows none of the names and only warns."""
        target = self.accelerator.unwrap_model(model if model is not None else self.model)
        fresh, found = type(target).from_pretrained(
            resume_from_checkpoint, dtype=target.dtype, output_loading_info=True
        )
        lost = sorted({*found["missing_keys"], *found["unexpected_keys"]})
        if lost:
            raise LingshuError(
                f"{resume_from_checkpoint} cannot be resumed from: {lost} do not fit"
            )
        target.load_state_dict(fresh.state_dict(), strict=True)


def last_whole(folder: Path) -> Path | None:
    """Returns the newest checkpoint to resume from that was written whole."""
    found = [path.parent for path in folder.glob(f"checkpoint-*/{WHOLE}")]
    return max(found, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """Returns the optimizer step of a checkpoint to resume from."""
    return int(checkpoint.name.removeprefix("checkpoint-"))


def prune(folder: Path, keep: int) -> None:
    """Removes checkpoints that were cut off, and the oldest beyond `keep`."""
    whole = sorted((p.parent for p in folder.glob(f"checkpoint-*/{WHOLE}")), key=step_of)
    for path in folder.glob("checkpoint-*"):
        if path not in whole[-keep:]:
            shutil.rmtree(path)
