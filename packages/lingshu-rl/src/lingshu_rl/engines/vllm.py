"""vLLM in this process; training hands its weights over in memory."""

import os
from collections.abc import Sequence
from typing import Any

from lingshu_core.errors import SettingsError
from lingshu_rl.engine import (
    Engine,
    EngineKind,
    Prompt,
    Sample,
    Sampling,
    Start,
    Weights,
    banned,
    collapse,
    same_prompt,
)


class VllmEngine(Engine):
    """One vLLM engine to each rank."""

    def __init__(self, start: Start) -> None:
        # Weights are handed over as tensors, which a second process could not be given.
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        try:
            from vllm import LLM, SamplingParams
        except ImportError:
            raise SettingsError(
                "engine 'vllm' needs vLLM: install lingshu-rl[vllm], or take engine.name=hf"
            ) from None
        settings = start.settings
        self._params = SamplingParams
        self._image = getattr(start.processor, "image_token_id", None)
        self._bias = {token: -100.0 for token in banned(start.processor)}
        self._sleeps = settings.sleep
        self._llm = LLM(
            model=str(start.checkpoint),
            dtype=start.precision,
            max_model_len=start.max_length,
            gpu_memory_utilization=settings.memory,
            enable_prefix_caching=True,
            # On a CPU a seeded request whose prompt is read in pieces ends the engine (0.32).
            enable_chunked_prefill=_has_gpu(),
            enable_sleep_mode=settings.sleep,
            # The temperature and the ban count: these are the probabilities that tokens had.
            logprobs_mode="processed_logprobs",
            limit_mm_per_prompt={"image": start.max_images, "video": 0},
            mm_processor_kwargs=_picture_size(start.processor),
            seed=start.rank,
            disable_log_stats=True,
            **_placement(),
        )

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[list[Sample]]:
        """Returns answers with their probabilities."""
        if self._sleeps:
            self._llm.wake_up(tags=["kv_cache"])
        outputs = self._llm.generate(
            [self._request(prompt) for prompt in prompts],
            [self._sampling(prompt, sampling) for prompt in prompts],
            use_tqdm=False,
        )
        for prompt, output in zip(prompts, outputs, strict=True):
            if prompt.ids:
                same_prompt(prompt.ids, output.prompt_token_ids)
        found = [
            [Sample(list(o.token_ids), _logprobs(o)) for o in sorted(output.outputs, key=_index)]
            for output in outputs
        ]
        if self._sleeps:
            self._llm.sleep(level=2)
        return found

    def sync(self, weights: Weights) -> None:
        """Reloads every tensor, then resets the prefix, picture and encoder caches."""
        if self._sleeps:
            self._llm.wake_up(tags=["weights"])
        self._llm.collective_rpc("reload_weights", kwargs={"weights_iterator": weights()})
        self._llm.reset_prefix_cache()
        self._llm.reset_mm_cache()
        self._llm.llm_engine.reset_encoder_cache()

    def close(self) -> None:
        """Shuts the engine down."""
        self._llm.llm_engine.engine_core.shutdown()

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        request: dict[str, Any] = {"prompt_token_ids": list(prompt.ids)}
        if prompt.images:
            assert self._image is not None
            request["prompt_token_ids"] = collapse(prompt.ids, self._image)
            request["multi_modal_data"] = {"image": list(prompt.images)}
        return request

    def _sampling(self, prompt: Prompt, sampling: Sampling) -> Any:
        return self._params(
            n=sampling.n,
            max_tokens=sampling.max_tokens,
            temperature=sampling.temperature,
            top_p=1.0,
            top_k=0,
            seed=prompt.seed,
            logprobs=0,
            logit_bias=self._bias or None,
            detokenize=False,
        )


def _index(output: Any) -> int:
    return int(output.index)


def _logprobs(output: Any) -> list[float]:
    return [
        float(known[token].logprob)
        for token, known in zip(output.token_ids, output.logprobs, strict=True)
    ]


def _picture_size(processor: Any) -> dict[str, Any] | None:
    """Returns the sizes that pictures are brought to, which the trainer may have changed."""
    size = getattr(getattr(processor, "image_processor", None), "size", None)
    if size is None:
        return None
    return {"size": {"shortest_edge": size["shortest_edge"], "longest_edge": size["longest_edge"]}}


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def _placement() -> dict[str, Any]:
    """Returns how the engine finds its device when torchrun has started several ranks."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return {}
    return {"distributed_executor_backend": "external_launcher"}


ENGINE = EngineKind(
    name="vllm",
    start=VllmEngine,
    summary="vLLM in the training process, weights handed over in memory",
)
