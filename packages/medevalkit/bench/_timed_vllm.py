"""vLLM's engine under a clock: how long a run takes from the opened engine to its end.

python _timed_vllm.py MODEL MANIFEST OUT [key=value …]    `medevalkit run`
python _timed_vllm.py MODEL MANIFEST                      bare: `LLM.generate`, pictures decoded
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from lingshu_core.manifest import Manifest
from lingshu_core.recipe import load_recipe
from medevalkit.backend import Answer, Request
from medevalkit.backends import vllm as backend
from medevalkit.chat import for_template
from medevalkit.protocol import render
from medevalkit.run import run
from medevalkit.settings import RunSettings

TOKENS, SEQUENCES, CONTEXT = 16, 16, 2048
FIXED = (
    *("engine.dtype=float32", f"engine.context={CONTEXT}", "engine.pictures_per_item=1"),
    *("engine.arguments.enforce_eager=true", f"engine.arguments.max_num_seqs={SEQUENCES}"),
    *(f"sampling.max_new_tokens={TOKENS}", "pictures.cache_mb=64"),
)


class Timed(backend.Engine):
    """Notes when the engine is there and warm."""

    opened = 0.0

    def answers(self, requests: Iterator[Request]) -> Iterator[Answer]:
        """Asks the first request twice, so that the clock starts when the engine is warm."""
        first = next(requests)
        list(super().answers(iter([replace(first, key=b"warm" * 4)])))
        Timed.opened = time.monotonic()

        def all_of_them() -> Iterator[Request]:
            yield first
            yield from requests

        yield from super().answers(all_of_them())


TIMED = replace(backend.BACKEND, open=Timed)


def ours(model: str, manifest: str, out: str, more: list[str]) -> float:
    """Returns the seconds of a run, journal and predictions included."""
    words = [f"model={__file__}:TIMED:{model}", f'tasks=["manifest:{manifest}"]', *FIXED, *more]
    # The class that is timed has to be the one that the registry reads from this file.
    ended: dict[str, float] = {}
    original = backend.Engine.close

    def close(self: Any) -> None:
        ended["opened"] = type(self).opened
        ended["last"] = time.monotonic()
        original(self)
        ended["closed"] = time.monotonic()

    backend.Engine.close = close  # type: ignore[method-assign]
    run(load_recipe(RunSettings, None, words), Path(out))
    after = time.monotonic() - ended["closed"]
    return ended["last"] - ended["opened"] + after


def bare(model: str, manifest: str) -> float:
    """Returns the seconds of `LLM.generate` over the same prompts, pictures decoded before."""
    from vllm import LLM, SamplingParams

    engine = LLM(
        model=model, dtype="float32", max_model_len=CONTEXT, limit_mm_per_prompt={"image": 1},
        enforce_eager=True, max_num_seqs=SEQUENCES, seed=0, disable_log_stats=True,
    )  # fmt: skip
    tokenizer = engine.get_tokenizer()
    source, prompts = Manifest(Path(manifest)), []
    for record in source:
        messages = for_template(render("direct", record, None), text_only=False)
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        (image,) = record.images
        with Pillow.open(source.root / image.path) as picture:
            prompts.append({"prompt": text, "multi_modal_data": {"image": picture.convert("RGB")}})
    sampling = SamplingParams(temperature=0, max_tokens=TOKENS)
    engine.generate(prompts[:1], sampling, use_tqdm=False)
    begun = time.monotonic()
    engine.generate(prompts, sampling, use_tqdm=False)
    return time.monotonic() - begun


if __name__ == "__main__":
    name, task, *rest = sys.argv[1:]
    seconds = ours(name, task, rest[0], rest[1:]) if rest else bare(name, task)
    print(f"seconds {seconds:.4f}", flush=True)
