"""vLLM's engine in this process, fed by a bounded window; every answer comes out as it ends.

Prefix cache, picture cache (under the hashes of the pictures, so that nothing is hashed twice),
CUDA graphs, tensor and data parallelism are vLLM's own, as its defaults have them.
"""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from lingshu_core.digest import digest
from lingshu_core.errors import SettingsError, Stopped
from medevalkit.backend import Answer, Backend, Request
from medevalkit.extras import needed
from medevalkit.settings import RunSettings
from medevalkit.turning import Heap, Turning
from medevalkit.weights import fingerprint, split_revision
from medevalkit.window import Done, windowed

_HEAP = 32
"""Prompts that are handed over together. One by one, as they are rendered, they would keep a fast
engine at steps over a few sequences, and a step costs little more with many."""

_LONGEST_END = 10.0
"""Seconds that the engine's own tasks get to end in."""


class Engine:
    """A model in vLLM's asynchronous engine; its loop turns while requests are drawn.

    Raises:
        SettingsError: vLLM is missing, or does not start with these settings on this machine.
    """

    def __init__(self, name: str, settings: RunSettings) -> None:
        self._vllm = needed("vllm", extra="vllm")
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._heap = Heap(_HEAP)
        try:
            self._engine = self._loop.run_until_complete(self._start(name))
        except Exception as error:
            # Of many classes; vLLM has logged what led there.
            self._loop.close()
            said = f"{type(error).__name__}: {error}"
            raise SettingsError(
                f"vLLM's engine does not start with these settings ({said})"
            ) from None
        self._chat = needed("vllm.renderers", extra="vllm").ChatParams(
            chat_template_kwargs={"add_generation_prompt": True, "continue_final_message": False}
        )
        # Otherwise vLLM's own warming up could still be at the picture cache when we begin.
        self._engine.renderer.warmup(self._chat)

    def answers(self, requests: Iterator[Request]) -> Iterator[Answer]:
        """Yields the answers in the order in which the engine ends them."""
        came: Turning[Answer] = Turning(self._loop, self._heap)
        yield from windowed(requests, self._settings.engine.window, self._submit, came)

    def close(self) -> None:
        """Ends the engine and its processes, then the loop with what still runs in it."""
        self._engine.shutdown()
        self._loop.run_until_complete(_end_others())
        self._loop.close()

    async def _start(self, name: str) -> Any:
        path, revision = split_revision(name)
        engine = self._settings.engine
        arguments = {
            "model": path,
            "revision": revision,
            "dtype": engine.dtype,
            "tensor_parallel_size": engine.tensor_parallel,
            "data_parallel_size": engine.data_parallel,
            "gpu_memory_utilization": engine.memory,
            "max_model_len": engine.context,
            # Items show pictures alone: without this vLLM makes room for the longest video.
            "limit_mm_per_prompt": {"image": engine.pictures_per_item, "video": 0, "audio": 0},
            "trust_remote_code": engine.trust_remote_code,
            "seed": self._settings.sampling.seed,
            "enable_prefix_caching": True,
            "disable_log_stats": True,
        }
        return self._vllm.AsyncLLMEngine.from_engine_args(
            self._vllm.AsyncEngineArgs(**{**arguments, **engine.arguments})
        )

    def _submit(self, request: Request, done: Done[Answer]) -> None:
        task = self._loop.create_task(self._hand_over(request, done))
        # The loop itself holds tasks weakly.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_over(self, request: Request, done: Done[Answer]) -> None:
        try:
            done(await self._ask(request))
        except ValueError as error:
            # The prompt does not fit, or the model takes no pictures.
            done(Answer.failed(request, f"{type(error).__name__}: {error}"))
        except BaseException as error:
            done(Stopped(f"vLLM's engine has ended ({type(error).__name__}: {error})"))

    async def _ask(self, request: Request) -> Answer:
        begun = time.monotonic()
        # Not in vLLM's threads: nobody else waits for this loop, and the engine has its window.
        _, (prompt,) = self._engine.renderer.render_chat([_conversation(request)], self._chat)
        await self._heap.passed()
        answers = self._engine.generate(prompt, self._sampling(request), request.key.hex())
        # With FINAL_ONLY there is one, the whole.
        result = [answer async for answer in answers][-1]
        said = result.outputs[0]
        return Answer(
            request,
            said.text,
            said.finish_reason if said.finish_reason in {"stop", "length"} else "stop",
            prompt_tokens=len(result.prompt_token_ids or ()),
            completion_tokens=len(said.token_ids),
            latency=time.monotonic() - begun,
        )

    def _sampling(self, request: Request) -> Any:
        sampling = self._settings.sampling
        kinds = needed("vllm.sampling_params", extra="vllm").RequestOutputKind
        return self._vllm.SamplingParams(
            max_tokens=request.max_new_tokens,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k or 0,
            repetition_penalty=sampling.repetition_penalty,
            seed=sampling.seed + request.replica,
            stop=list(sampling.stop),
            output_kind=kinds.FINAL_ONLY,
            # Made for this request alone.
            skip_clone=True,
        )


async def _end_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=_LONGEST_END)


def _conversation(request: Request) -> list[dict[str, Any]]:
    left = iter(request.pictures)
    found = []
    for message in request.messages:
        content: list[dict[str, Any]] = []
        for piece in message.content:
            if piece.image is None:
                content.append({"type": "text", "text": piece.text})
            else:
                loaded = next(left)
                content.append(
                    {"type": "image_pil", "image_pil": loaded.decoded, "uuid": loaded.sha256}
                )
        found.append({"role": message.role, "content": content})
    return found


def _fingerprint(name: str, settings: RunSettings) -> str:
    engine = settings.engine
    told = digest({"dtype": engine.dtype, "arguments": engine.arguments})[:12]
    return f"vllm {told} {fingerprint(name)}"


BACKEND = Backend(
    "vLLM's engine, in this process: vllm:DIR or vllm:OWNER/NAME@REVISION",
    Engine,
    _fingerprint,
    pictures="decoded",
)
