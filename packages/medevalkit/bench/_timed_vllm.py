"""vLLM under a clock: whole runs of medevalkit beside bare loops over the same prompts, in turns.

python _timed_vllm.py MODEL OUT WARMING MANIFEST [MANIFEST …]    prints two times a manifest

Both engines are started and warm before the first clock starts: that of a bare `LLM`, and ours,
which is kept between runs.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from PIL import Image as Pillow

from lingshu_core.manifest import Manifest
from lingshu_core.recipe import load_recipe
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


class Kept(backend.Engine):
    """An engine that one run leaves to the next."""

    def close(self) -> None:
        """Goes on; `end` ends it."""

    def end(self) -> None:
        """Ends the engine."""
        super().close()


def opened(name: str, settings: RunSettings) -> Kept:
    """Returns the engine of the first run."""
    # Not in this module: the registry reads this file as another one each time.
    kept: dict[str, Any] = vars(backend).setdefault("kept_by_bench", {})
    if name not in kept:
        kept[name] = Kept(name, settings)
    found: Kept = kept[name]
    return found


KEPT = replace(backend.BACKEND, open=opened)


class Bare:
    """`LLM.generate` as its documentation has it."""

    def __init__(self, model: str) -> None:
        from vllm import LLM, SamplingParams

        self._engine = LLM(
            model=model, dtype="float32", max_model_len=CONTEXT, limit_mm_per_prompt={"image": 1},
            enforce_eager=True, max_num_seqs=SEQUENCES, seed=0, disable_log_stats=True,
        )  # fmt: skip
        self._sampling = SamplingParams(temperature=0, max_tokens=TOKENS)

    def seconds(self, manifest: Path) -> dict[str, float]:
        """Returns the seconds for the prompts of a manifest, their pictures decoded before."""
        tokenizer = self._engine.get_tokenizer()
        source, prompts = Manifest(manifest), []
        for record in source:
            messages = for_template(render("direct", record, None), text_only=False)
            text = tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True
            )
            (image,) = record.images
            with Pillow.open(source.root / image.path) as picture:
                shown = picture.convert("RGB")
            prompts.append({"prompt": text, "multi_modal_data": {"image": shown}})
        return clocked(
            lambda: self._engine.generate(prompts, self._sampling, use_tqdm=False),
        )


def clocked(work: Callable[[], object]) -> dict[str, float]:
    """Returns the seconds of some work by the clock, and those of all processes on the CPU."""
    begun, before = time.monotonic(), spent()
    work()
    return {"wall": time.monotonic() - begun, "cpu": spent() - before}


def spent() -> float:
    """Returns the CPU seconds of this process and of those that it has started."""
    here = psutil.Process()
    return float(sum(sum(one.cpu_times()[:2]) for one in (here, *here.children(recursive=True))))


def ours(model: str, manifest: Path, out: Path) -> dict[str, float]:
    """Returns the seconds of a whole run: items, journal and predictions included."""
    words = [f"model={__file__}:KEPT:{model}", f'tasks=["manifest:{manifest}"]', *FIXED]
    return clocked(lambda: run(load_recipe(RunSettings, None, words), out))


def main(model: str, out: Path, warming: Path, *manifests: Path) -> None:
    """Measures in turns, so that both see the same machine."""
    bare = Bare(model)
    for number, manifest in enumerate((warming, *manifests)):
        # Neither is always the first.
        pair = {}
        for name in ("bare", "ours") if number % 2 else ("ours", "bare"):
            place = out / str(number)
            pair[name] = bare.seconds(manifest) if name == "bare" else ours(model, manifest, place)
        if number:
            print("measured", json.dumps(pair), flush=True)
    vars(backend)["kept_by_bench"][model].end()


if __name__ == "__main__":
    name, place, *tasks = sys.argv[1:]
    main(name, Path(place), *map(Path, tasks))
