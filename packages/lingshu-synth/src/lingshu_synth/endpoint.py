"""One place that answers chat completions, called once at a time: no retries, no pace, no memory.

Keys come from the environment and go into one header; texts that leave this module have them
blotted out.
"""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit

import httpx2
from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    DefaultAioHttpClient,
    DefaultAsyncHttpxClient,
)

from lingshu_core.errors import SettingsError
from lingshu_synth.call import Call, Shot
from lingshu_synth.replies import error_text, is_completion, parse
from lingshu_synth.settings import EndpointSettings

_CONNECT = 60.0
"""Seconds for a connection; the usual five are too few when hundreds are opened at once."""
_LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}
_BEARER = re.compile(r"(?i)(bearer\s+|\b(?:sk|pk|key|gsk|hf)[-_])[\w*.\-]{6,}")
STORED_AS = "lingshu_key"
"""Field of a stored completion's metadata by which it is found again."""


Kind = Literal["whole", "pace", "closed", "final", "fault"]
"""Of an answer: a completion; turned away for pace; this endpoint will answer nothing at all (key,
credit, address); an error that will not change; anything that may go better next time."""

_PACE = {429, 503, 529}
_CLOSED = {401, 402, 403, 404}
_PASSING = {408, 409, 425}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over the line."""

    status: int
    """HTTP status; 0 where no answer came."""
    headers: Mapping[str, str]
    raw: bytes
    data: Any
    """The body as JSON; None where it is none. Where no answer came, why."""

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], raw: bytes) -> "Answer":
        """Returns an answer with its body parsed."""
        return cls(status, headers, raw, parse(raw))

    @classmethod
    def none(cls, why: str) -> "Answer":
        """Returns what stands for an answer where none came."""
        return cls(0, {}, why.encode(), why)

    def told(self) -> str:
        """Returns what it says is wrong, in a line."""
        return error_text(self.data or self.raw.decode(errors="replace"), self.status)

    @property
    def kind(self) -> Kind:
        """What it means for the call and for the endpoint."""
        if 200 <= self.status < 300:
            return "whole" if is_completion(self.data) else "fault"
        if self.status == 429 and b"insufficient_quota" in self.raw:
            return "closed"
        if self.status == 429 or (self.status in _PACE and "retry-after" in self.headers):
            return "pace"
        if self.status in _CLOSED:
            return "closed"
        if 400 <= self.status < 500 and self.status not in _PASSING:
            return "final"
        return "fault"


class Unreachable(Exception):
    """No answer came: the line broke, or the time was up."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class Endpoint:
    """An endpoint with its connections; used as an async context manager.

    Args:
        settings: Where it is, and what it can do.
        connections: How many may be open.
        timeout: Seconds for one call.

    Raises:
        SettingsError: There is no key for it.
    """

    def __init__(self, settings: EndpointSettings, connections: int, timeout: float) -> None:
        self.settings = settings
        self.name = public_url(settings.url)
        self._key = key_of(settings)
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        times = httpx2.Timeout(timeout, connect=_CONNECT)
        self.client = AsyncOpenAI(
            base_url=settings.url,
            api_key=self._key,
            max_retries=0,
            timeout=times,
            http_client=_transport(limits, times),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.client.close()

    async def send(self, body: dict[str, Any]) -> Answer:
        """Posts one request body and returns whatever the endpoint answers.

        Raises:
            Unreachable: No answer came.
        """
        try:
            # Through the client's own way for bodies of any form: it neither rewrites the request
            # nor builds a model of the reply, of which the journal keeps the bytes.
            response = await self.client.post(
                "/chat/completions", cast_to=httpx2.Response, body=body
            )
        except APIStatusError as error:
            raw = self.blot(error.response.text).encode()
            return Answer.of(error.status_code, error.response.headers, raw)
        except APITimeoutError as error:
            raise Unreachable("the time was up", timed_out=True) from error
        except APIConnectionError as error:
            cause = error.__cause__ or error
            raise Unreachable(self.blot(f"{type(cause).__name__}: {cause}")) from error
        return Answer.of(response.status_code, response.headers, response.content)

    async def recall(self, key: str) -> bytes | None:
        """Returns the completion that the endpoint stored for a call, as a reply's body."""
        try:
            page = await self.client.chat.completions.list(metadata={STORED_AS: key}, limit=1)
        except (APIStatusError, APIConnectionError):
            return None
        return page.data[0].to_json().encode() if page.data else None

    def blot(self, text: str) -> str:
        """Returns a text without this endpoint's key, and without what looks like any key."""
        return blot(text, self._key)


def wire(
    call: Call, pictures: Mapping[Shot, str], settings: EndpointSettings, key: str
) -> dict[str, Any]:
    """Returns a call as the body that an endpoint takes.

    Args:
        call: What is asked.
        pictures: Every picture of the call as a data URL.
        settings: What the endpoint calls the model and can do.
        key: Of the call; goes along only where completions are stored.
    """
    model = call.model
    body: dict[str, Any] = {
        "model": settings.model or model.name,
        "messages": [
            {"role": message.role, "content": _content(message.pieces, pictures, call)}
            for message in call.messages
        ],
        "temperature": model.temperature,
        "top_p": model.top_p,
        settings.limit_field: model.max_tokens,
        **model.extra,
    }
    if model.seed is not None:
        # Replicas of one call shall differ.
        body["seed"] = model.seed + call.replica
    if call.schema is not None and settings.schemas == "json_schema":
        body["response_format"] = {"type": "json_schema", "json_schema": call.schema}
    elif call.schema is not None and settings.schemas == "json_object":
        body["response_format"] = {"type": "json_object"}
    if settings.stores:
        body |= {"store": True, "metadata": {STORED_AS: key}}
    return body


def blot(text: str, key: str) -> str:
    """Returns a text without a key, and without what looks like any key."""
    return _BEARER.sub(r"\1***", text.replace(key, "***"))


def public_url(url: str) -> str:
    """Returns an address without user and password, for logs and records."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _content(pieces: tuple[str | Shot, ...], pictures: Mapping[Shot, str], call: Call) -> Any:
    if all(isinstance(piece, str) for piece in pieces):
        return "".join(piece for piece in pieces if isinstance(piece, str))
    return [
        {"type": "text", "text": piece}
        if isinstance(piece, str)
        else {
            "type": "image_url",
            "image_url": {"url": pictures[piece], "detail": call.pictures.detail},
        }
        for piece in pieces
    ]


def key_of(settings: EndpointSettings) -> str:
    """Returns the key of an endpoint from the environment; SettingsError where there is none."""
    found = os.environ.get(settings.key_env, "").strip()
    if found:
        return found
    if urlsplit(settings.url).hostname in _LOCAL:
        return "none-needed"
    raise SettingsError(
        f"{public_url(settings.url)}: the environment variable {settings.key_env} holds no key"
    )


def _transport(limits: httpx2.Limits, times: httpx2.Timeout) -> httpx2.AsyncClient:
    try:
        import aiohttp  # noqa: F401
    except ImportError:
        return DefaultAsyncHttpxClient(limits=limits, timeout=times, verify=trust())
    return DefaultAioHttpClient(limits=limits, timeout=times, verify=trust())


@cache
def trust() -> ssl.SSLContext:
    """Returns whom to trust: reading the certificates once is enough for all endpoints."""
    return httpx2.create_ssl_context()
