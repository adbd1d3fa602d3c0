"""vLLM as a server; training hands its weights over in a folder that both can read.

The server is started by the user, with the switch that lets weights be reloaded:

    VLLM_SERVER_DEV_MODE=1 python -m vllm.entrypoints.openai.api_server --model CHECKPOINT \\
        --logprobs-mode processed_logprobs
"""

import base64
import io
import re
import shutil
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from openai import APIConnectionError, InternalServerError, OpenAI, OpenAIError

from lingshu_core.console import say
from lingshu_core.errors import LingshuError, Stopped
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

_STARTED = re.compile(r"^process_start_time_seconds\s+(\S+)", re.M)
_AT_ONCE = 64
_TIMEOUT = 3600.0
"""Seconds: an answer of thousands of tokens behind a long queue takes its time."""
_PAUSE = 2.0
"""Seconds between two looks at a server that is gone."""


class VllmServerEngine(Engine):
    """Asks a server; one that was started anew gets the weights again before it is asked."""

    def __init__(self, start: Start) -> None:
        settings = start.settings
        self._rank = start.rank
        self._servers = [Server(url, settings.patience) for url in settings.servers]
        self._mine = self._servers[start.rank % len(self._servers)]
        self._bias = {str(token): -100.0 for token in banned(start.processor)}
        self._folder = start.scratch / "weights"
        self._mine.wait()

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[list[Sample]]:
        """Returns answers with their probabilities."""
        self._mine.refresh()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda prompt: self._ask(prompt, sampling), prompts))

    def sync(self, weights: Weights) -> None:
        """Saves the weights, and makes every server load them and reset its caches."""
        if self._rank:
            for _ in weights():
                pass
            self._mine.weights = self._folder
            return
        _save(weights, self._folder)
        for server in self._servers:
            server.weights = self._folder
            server.load()

    def close(self) -> None:
        """Removes the weights."""
        if not self._rank:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _ask(self, prompt: Prompt, sampling: Sampling) -> list[Sample]:
        reply = self._mine.chat(
            messages=_messages(prompt.chat),
            n=sampling.n,
            max_tokens=sampling.max_tokens,
            temperature=sampling.temperature,
            top_p=1.0,
            seed=prompt.seed,
            logprobs=True,
            extra_body={"top_k": 0, "logit_bias": self._bias, "return_token_ids": True},
        )
        if prompt.ids:
            same_prompt(prompt.ids, reply.prompt_token_ids)
        choices = sorted(reply.choices, key=lambda choice: int(choice.index))
        return [
            Sample(list(choice.token_ids), [item.logprob for item in choice.logprobs.content])
            for choice in choices
        ]


class Server:
    """One vLLM server: asked, given weights, and waited for when it is gone."""

    def __init__(self, url: str, patience: float) -> None:
        self.url = url.rstrip("/")
        self.weights: Path | None = None
        """What it has to serve; None before training has changed anything."""
        self._patience = patience
        self._root = OpenAI(base_url=self.url, api_key="none", max_retries=0, timeout=_TIMEOUT)
        self._api = self._root.with_options(base_url=f"{self.url}/v1")
        self._lock = threading.Lock()
        self._model = ""
        self._life = ""

    def chat(self, **body: Any) -> Any:
        """Returns the server's reply; one that is gone is waited for and asked again.

        Raises:
            Stopped: It was not back, or went on failing, within the patience of the settings.
            LingshuError: It refuses the request.
        """
        until = None
        while True:
            try:
                return self._api.chat.completions.create(model=self._model, **body)
            except (APIConnectionError, InternalServerError) as error:
                until = until or time.monotonic() + self._patience
                if time.monotonic() >= until:
                    raise Stopped(
                        f"{self.url} goes on failing ({error}): see to the server, then give the "
                        "same command"
                    ) from None
                self.refresh()
                time.sleep(min(_PAUSE, self._patience))
            except OpenAIError as error:
                raise LingshuError(f"{self.url} refuses a request: {error}") from None

    def refresh(self) -> None:
        """Waits until the server answers, and gives it the weights if it was started anew."""
        with self._lock:
            self.wait()
            if self.weights is not None and self._life_now() != self._life:
                say(f"{self.url} was started anew: it gets the weights again")
                self.load()

    def wait(self) -> None:
        """Waits until the server answers.

        Raises:
            Stopped: It did not within the patience of the settings.
        """
        until = time.monotonic() + self._patience
        told = False
        while True:
            try:
                self._model = self._api.models.list().data[0].id
                return
            except (APIConnectionError, InternalServerError) as error:
                if not told:
                    say(f"{self.url}: {type(error).__name__}; waiting for it")
                    told = True
                if time.monotonic() >= until:
                    raise Stopped(
                        f"{self.url} does not answer: start the server, then give the same command"
                    ) from None
                time.sleep(min(_PAUSE, self._patience))

    def load(self) -> None:
        """Makes the server load the weights and forget what it computed with others.

        A server that died meanwhile has the old weights when it is back, so it starts again.
        """
        body = {"method": "reload_weights", "kwargs": {"weights_path": str(self.weights)}}
        while True:
            life = self._life_now()
            try:
                self._post("/collective_rpc", body)
                for cache in ("prefix", "mm", "encoder"):
                    self._post(f"/reset_{cache}_cache", {})
            except APIConnectionError:
                self.wait()
                continue
            if life == self._life_now():
                self._life = life
                return

    def _post(self, path: str, body: dict[str, Any]) -> None:
        try:
            self._root.post(path, cast_to=str, body=body)
        except APIConnectionError:
            raise  # `load` waits for the server and starts again
        except OpenAIError as error:
            raise LingshuError(
                f"{self.url}{path} fails ({error}); start the server with VLLM_SERVER_DEV_MODE=1"
            ) from None

    def _life_now(self) -> str:
        """Returns when the server's process was started, as it tells itself."""
        try:
            found = _STARTED.search(self._root.get("/metrics", cast_to=str))
        except OpenAIError:
            return ""
        return found[1] if found else ""


def _save(weights: Weights, folder: Path) -> None:
    """Writes the weights as one `.safetensors` file, tied tensors under each of their names.

    A head that is tied would stay as it was if it were left out (seen with vLLM 0.32).
    """
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in weights()}
    folder.mkdir(parents=True, exist_ok=True)
    side = folder / ".model.safetensors.tmp"
    save_file(tensors, side, metadata={"format": "pt"})
    side.replace(folder / "model.safetensors")


def _messages(chat: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"role": turn["role"], "content": [_part(part) for part in turn["content"]]}
        for turn in chat
    ]


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] == "text":
        return part
    buffer = io.BytesIO()
    part["image"].save(buffer, format="PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


ENGINE = EngineKind(
    name="vllm_server",
    start=VllmServerEngine,
    summary="vLLM as one or more servers, weights handed over in a folder",
)
