"""Answers by transformers' own `generate`: slow, and everywhere."""

from collections.abc import Sequence
from typing import Any

import torch

from lingshu_rl.engine import (
    Engine,
    EngineKind,
    Prompt,
    Sample,
    Sampling,
    Start,
    Weights,
    banned,
    same_prompt,
)
from lingshu_rl.loading import load_model

_AT_ONCE = 64
"""Sequences of one batch."""


class HfEngine(Engine):
    """Generates in batches, the pictures of a prompt encoded once for all its answers."""

    def __init__(self, start: Start, model: Any = None) -> None:
        self._processor = start.processor
        self._model: Any = model or load_model(start.checkpoint, start.precision)
        if torch.cuda.is_available():
            self._model = self._model.cuda()
        self._banned = list(banned(start.processor))

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[list[Sample]]:
        """Returns answers without their probabilities."""
        width = max(1, _AT_ONCE // sampling.n)
        found: list[list[Sample]] = []
        for first in range(0, len(prompts), width):
            found += self._batch(prompts[first : first + width], sampling)
        return found

    def sync(self, weights: Weights) -> None:
        """Copies the weights."""
        self._model.load_state_dict(dict(weights()), strict=True)

    def close(self) -> None:
        """Forgets the model."""
        self._model = None

    def _batch(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[list[Sample]]:
        texts = self._processor.apply_chat_template(
            [prompt.chat for prompt in prompts], add_generation_prompt=True, tokenize=False
        )
        images = [image for prompt in prompts for image in prompt.images]
        inputs = self._processor(
            text=texts, images=images or None, padding=True, return_tensors="pt"
        ).to(self._model.device)
        for prompt, ids, mask in zip(
            prompts, inputs["input_ids"], inputs["attention_mask"], strict=True
        ):
            if prompt.ids:
                same_prompt(prompt.ids, ids[mask.bool()].tolist())
        warm = sampling.temperature > 0
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(prompts[0].seed)
            output = self._model.generate(
                **inputs,
                max_new_tokens=sampling.max_tokens,
                do_sample=warm,
                temperature=sampling.temperature if warm else None,
                top_p=1.0 if warm else None,
                top_k=0 if warm else None,
                num_return_sequences=sampling.n,
                suppress_tokens=self._banned or None,
            )
        answers = output[:, inputs["input_ids"].shape[1] :].tolist()
        samples = [Sample(self._cut(ids), []) for ids in answers]
        return [samples[i : i + sampling.n] for i in range(0, len(samples), sampling.n)]

    def _cut(self, ids: list[int]) -> list[int]:
        ends = self._model.generation_config.eos_token_id
        stops = set(ends if isinstance(ends, list) else [ends])
        end = next((place for place, token in enumerate(ids) if token in stops), len(ids) - 1)
        return ids[: end + 1]


ENGINE = EngineKind(
    name="hf",
    start=HfEngine,
    summary="transformers' own generation with the training model",
    shares_model=True,
)
