"""Any OpenAI-compatible endpoint: vLLM and SGLang servers, Ollama, hosted models."""

import time
from collections.abc import Iterator
from typing import Any

from lingshu_core.digest import digest
from medevalkit.backend import Answer, Backend, Request
from medevalkit.chat import for_endpoint
from medevalkit.endpoint import Client, RefusedError
from medevalkit.settings import RunSettings
from medevalkit.window import Threads, windowed


class Chat:
    """A model behind the chat completions of an endpoint."""

    def __init__(self, name: str, settings: RunSettings) -> None:
        self._name = name
        self._settings = settings
        self._client = Client(settings.endpoint)
        self._threads = Threads(self._answer, settings.endpoint.concurrency)

    def answers(self, requests: Iterator[Request]) -> Iterator[Answer]:
        """Yields the answers as they come."""
        size = self._settings.endpoint.concurrency
        yield from windowed(requests, size, self._threads.submit)

    def close(self) -> None:
        """Closes the connections."""
        self._threads.close()
        self._client.close()

    def _answer(self, request: Request) -> Answer:
        begun = time.monotonic()
        try:
            found = self._client.complete(self._body(request))
        except RefusedError as error:
            return Answer.failed(request, str(error), passing=error.passing)
        return Answer(
            request,
            found.text,
            found.finish_reason,
            prompt_tokens=found.prompt_tokens,
            completion_tokens=found.completion_tokens,
            latency=time.monotonic() - begun,
        )

    def _body(self, request: Request) -> dict[str, Any]:
        sampling = self._settings.sampling
        body: dict[str, Any] = {
            "model": self._name,
            "messages": for_endpoint(request.messages, request.pictures),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            self._settings.endpoint.limit_field: request.max_new_tokens,
            "seed": sampling.seed + request.replica,
        }
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        # Not among OpenAI's own fields: sent only where they are asked for.
        if sampling.top_k is not None:
            body["top_k"] = sampling.top_k
        if sampling.repetition_penalty != 1:
            body["repetition_penalty"] = sampling.repetition_penalty
        return body


def _fingerprint(name: str, settings: RunSettings) -> str:
    return f"openai {name} {digest(settings.endpoint.body)[:12]}"


BACKEND = Backend(
    "an OpenAI-compatible endpoint: openai:MODEL", Chat, _fingerprint, pictures="encoded"
)
