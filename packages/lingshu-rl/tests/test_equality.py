"""The update equals a reference written here in plain float64, for every loss that can be set.

The trainer runs whole (rewards to advantages, padding, shuffling, micro-batches, accumulation,
clipping, divergence, correction); only the tokens are not sampled but drawn here, so that ratios
and corrections are far from 1.
"""

import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from lingshu_core.manifest import Manifest
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.recipe import find_recipe, load_recipe
from lingshu_rl.engine import Sample
from lingshu_rl.settings import TrainingRecipe
from lingshu_rl.training import make_trainer

GROUP, PROMPTS, LONGEST = 4, 4, 7
KL, CAP = 0.05, 2.0
CLIP = {"gspo": (0.003, 0.004)}
"""Ratios of whole sequences stay much nearer to 1."""
USUAL = (0.2, 0.3)


class Drawn:
    """An engine that draws tokens at random and claims some probability for each."""

    def __init__(self) -> None:
        self.draw = random.Random(5)

    def sync(self, weights) -> None:
        pass

    def generate(self, prompts, sampling):
        return [[self._one() for _ in range(sampling.n)] for _ in prompts]

    def _one(self) -> Sample:
        length = self.draw.randrange(1, LONGEST + 1)
        ids = [self.draw.randrange(20, 250) for _ in range(length - 1)]
        return Sample([*ids, 2], [self.draw.uniform(-7, -4) for _ in range(length)])


@pytest.fixture(scope="module")
def prompts(toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prompts with one, two and three pictures, of different lengths."""
    source = Manifest(toys / "toy-32-0-0")
    records = list(source)
    out = tmp_path_factory.mktemp("several") / "prompts"
    producer = source.header.producer
    with ManifestWriter(out, producer=producer) as writer:
        for number in range(PROMPTS):
            images = tuple(records[number * 3 + i].images[0] for i in range(1 + number % 3))
            text = "Dark or bright? " + "<image> and " * len(images) + "look " * number
            record = records[number].replace(question=text, images=images)
            writer.write(record, source=source)
    return out


@pytest.mark.parametrize("loss", ["grpo", "bnpo", "dr_grpo", "dapo", "gspo"])
def test_update_equals_the_reference(loss: str, toys: Path, prompts: Path, tmp_path: Path):
    trainer = _trainer(loss, toys, prompts, tmp_path)
    rewards = _rewards()
    trainer._calculate_rewards = _scores(trainer, rewards)
    trainer._prepare_inputs(_rows(trainer))
    batches = list(trainer._buffered_inputs)
    # As if some updates had been made since: the ratios are no longer 1.
    _disturb(trainer.model, seed=1, scale=0.1)
    trainer.current_gradient_accumulation_steps = trainer.args.gradient_accumulation_steps
    trainer.model.zero_grad()
    windows = trainer.args.steps_per_generation // trainer.args.gradient_accumulation_steps
    assert (len(batches), windows) == (4, 2)
    first = batches[: len(batches) // windows]
    total = sum(_step(trainer, batch) for batch in first)
    ours = torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None])

    reference = _Reference(trainer, loss, rewards, batches)
    expected = reference.loss(first)
    model = reference.model
    expected.backward()
    theirs = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    assert total.item() == pytest.approx(expected.item(), abs=1e-6)
    assert (ours - theirs).abs().max() < 1e-6 * max(1.0, theirs.abs().max().item())
    assert reference.clipped > 0 and reference.truncated > 0
    even = [i for i, a in enumerate(reference.advantages) if abs(a) < 1e-9]
    assert len(even) >= GROUP


def _trainer(loss: str, toys: Path, prompts: Path, out: Path):
    overrides = [
        f"prompts={prompts}",
        f"parent={toys / 'parent'}",
        f"batch.responses={GROUP}",
        f"batch.rollout={PROMPTS}",
        "batch.update=2",
        "batch.micro=4",
        "batch.rollouts=1",
        f"lengths.response={LONGEST}",
        f"objective.loss={loss}",
        f"objective.kl={KL}",
        f"objective.clip_low={CLIP.get(loss, USUAL)[0]}",
        f"objective.clip_high={CLIP.get(loss, USUAL)[1]}",
        f"engine.correction_cap={CAP}",
    ]
    recipe = load_recipe(TrainingRecipe, find_recipe("lingshu_rl", "nano"), overrides)
    trainer = make_trainer(recipe, out)
    trainer.setup = replace(trainer.setup, engine=Drawn(), greatest_gap=1e9)
    trainer.use_vllm = True
    trainer.model.double()
    trainer.ref_model.double()
    _disturb(trainer.ref_model, seed=2, scale=0.02)
    trainer.model.train()
    return trainer


def _rows(trainer) -> list[dict]:
    rows = trainer.setup.plan.order
    return [{"row": row} for row in rows for _ in range(GROUP)]


def _rewards() -> list[float | None]:
    """One group without variance, one with an answer that could not be told."""
    draw = random.Random(3)
    rewards: list[float | None] = [
        draw.choice([0.0, 0.5, 1.0, 1.5]) for _ in range(GROUP * PROMPTS)
    ]
    rewards[:4] = [0.5, 0.5, 0.5, 0.5]
    rewards[4:8] = [0.0, None, 1.5, 0.5]
    return rewards


def _scores(trainer, rewards):
    def calculate(inputs, prompts, completions, ids):
        trainer._sampled = []
        trainer.setup.report.add = lambda *_: None
        table = torch.full((len(rewards), 2), float("nan"), dtype=torch.float64)
        for row, reward in enumerate(rewards):
            if reward is not None:
                form = min(reward, 1.0) if reward in (0.5, 1.5) else 0.0
                table[row] = torch.tensor([1.0 if form else 0.0, reward - 0.5 * bool(form)])
        return table

    return calculate


def _disturb(model: torch.nn.Module, *, seed: int, scale: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_(noise * scale * parameter.std().nan_to_num(0.0))


def _step(trainer, batch) -> torch.Tensor:
    loss = trainer._compute_loss(trainer.model, batch)
    loss.backward()
    return loss.detach()


class _Reference:
    """The objective written down sample by sample, without padding."""

    def __init__(self, trainer, loss: str, rewards, batches) -> None:
        self.kind = loss
        self.model = (
            type(trainer.model).from_pretrained(trainer.model.config._name_or_path).double()
        )
        self.old = type(trainer.model).from_pretrained(trainer.model.config._name_or_path).double()
        self.ref = type(trainer.model).from_pretrained(trainer.model.config._name_or_path).double()
        _disturb(self.model, seed=1, scale=0.1)
        _disturb(self.ref, seed=2, scale=0.02)
        self.advantages = self._advantages(rewards, scaled=loss != "dr_grpo")
        self.clipped = self.truncated = 0
        self.samples = {id(batch): self._unpad(batch) for batch in batches}
        self.tokens = sum(len(s.answer) for part in self.samples.values() for s in part)

    def loss(self, batches) -> torch.Tensor:
        """Returns the loss of one update: micro-batches weighted as the recipe says."""
        parts = []
        for batch in batches:
            rows = [self._row(sample) for sample in self.samples[id(batch)]]
            parts.append(self._average(rows) / len(batches))
        return sum(parts)

    def _average(self, rows: list[torch.Tensor]) -> torch.Tensor:
        if self.kind in ("grpo", "gspo"):
            return sum(row.mean() for row in rows) / len(rows)
        if self.kind == "bnpo":
            return torch.cat(rows).mean()
        if self.kind == "dr_grpo":
            return torch.cat(rows).sum() / (len(rows) * LONGEST)
        # DAPO: every token of the rollout weighs the same; two updates share the rollout.
        return torch.cat(rows).sum() / self.tokens * 2 * 2

    def _row(self, sample) -> torch.Tensor:
        logp = self._logp(self.model, sample)
        with torch.no_grad():
            old, ref = self._logp(self.old, sample), self._logp(self.ref, sample)
        ratio = torch.exp(logp - old)
        if self.kind == "gspo":
            ratio = torch.exp((logp - old).mean()).expand_as(logp)
        low, high = CLIP.get(self.kind, USUAL)
        bounded = ratio.clamp(1 - low, 1 + high)
        gain = torch.min(ratio * sample.advantage, bounded * sample.advantage)
        self.clipped += int((gain != ratio * sample.advantage).sum())
        correction = torch.exp(old - sample.claimed)
        self.truncated += int((correction > CAP).sum())
        divergence = torch.exp(ref - logp) - (ref - logp) - 1
        return -gain * correction.clamp(max=CAP) + KL * divergence

    def _logp(self, model, sample) -> torch.Tensor:
        ids = torch.cat([sample.prompt, sample.answer])[None]
        kinds = torch.zeros_like(ids)
        kinds[ids == model.config.image_token_id] = 1
        logits = model(
            input_ids=ids,
            pixel_values=sample.pixels,
            image_grid_thw=sample.grid,
            mm_token_type_ids=kinds,
        ).logits[0, len(sample.prompt) - 1 : -1]
        return torch.log_softmax(logits, -1).gather(1, sample.answer[:, None])[:, 0]

    def _advantages(self, rewards, *, scaled: bool) -> list[float]:
        found = []
        for start in range(0, len(rewards), GROUP):
            group = rewards[start : start + GROUP]
            told = torch.tensor([r for r in group if r is not None], dtype=torch.float64)
            spread = told.std().item() + 1e-4 if scaled else 1.0
            found += [0.0 if r is None else (r - told.mean().item()) / spread for r in group]
        return found

    def _unpad(self, batch) -> list[SimpleNamespace]:
        """Takes the micro-batches of the trainer apart into samples without padding.

        The shuffle of the trainer is undone by nothing: a sample carries its own advantage, which
        has to be one of those computed here.
        """
        samples = []
        images = pixels = 0
        for row in range(len(batch["prompt_ids"])):
            count = batch["num_images"][row]
            grid = batch["image_grid_thw"][images : images + count]
            patches = int(grid.prod(-1).sum())
            mask = batch["completion_mask"][row].bool()
            advantage = batch["advantages"][row].item()
            exact = min(self.advantages, key=lambda known: abs(known - advantage))
            assert abs(exact - advantage) < 1e-6
            samples.append(
                SimpleNamespace(
                    prompt=batch["prompt_ids"][row][batch["prompt_mask"][row].bool()],
                    answer=batch["completion_ids"][row][mask],
                    claimed=batch["sampling_per_token_logps"][row][mask].double(),
                    advantage=exact,
                    pixels=batch["pixel_values"][pixels : pixels + patches],
                    grid=grid,
                )
            )
            images, pixels = images + count, pixels + patches
        return samples
