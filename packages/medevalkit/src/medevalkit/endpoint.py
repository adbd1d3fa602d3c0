"""OpenAI-compatible endpoints: one attempt, many attempts, and what each fault means."""

import email.utils
import json
import os
import random
import time
from dataclasses import dataclass
from typing import Any

from lingshu_core.errors import SettingsError
from medevalkit.settings import Endpoint

_PASSING = frozenset([408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529])
_FATAL = frozenset([401, 403, 404, 405])
_SHOWN = 300
_BLOCK = 1 << 16
_LARGEST = 64 << 20


class RefusedError(Exception):
    """An endpoint gave no answer to a request.

    Args:
        message: Why, without the key.
        passing: It may answer next time.
        wait: Seconds after which it wants to be asked again, where it says so.
    """

    def __init__(self, message: str, *, passing: bool, wait: float | None = None) -> None:
        super().__init__(message)
        self.passing = passing
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Completion:
    """What an endpoint answered."""

    text: str
    """Reasoning that the endpoint took out stands before it again, between thinking tags."""
    finish_reason: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Client:
    """Asks one endpoint, from many threads at a time.

    Raises:
        SettingsError: The address is none.
    """

    def __init__(self, settings: Endpoint) -> None:
        import urllib3

        self._settings = settings
        self._urllib3 = urllib3
        self._key = os.environ.get(settings.key_variable, "")
        try:
            url = urllib3.util.parse_url(settings.base_url.rstrip("/"))
        except urllib3.exceptions.LocationParseError:
            url = urllib3.util.Url()
        if url.scheme not in {"http", "https"} or not url.host:
            raise SettingsError(f"endpoint.base_url: {settings.base_url!r} is no http(s) address")
        self._url = f"{url}/chat/completions"
        self._pool = _pool(urllib3, self._url, settings.concurrency)
        self._headers = {"Content-Type": "application/json"}
        if self._key:
            self._headers["Authorization"] = f"Bearer {self._key}"
        self._rng = random.Random()
        self._rest = 0.0

    def complete(self, body: dict[str, Any]) -> Completion:
        """Asks until there is an answer or the attempts are used up.

        Waits as long as Retry-After says, else twice as long each time, with jitter; while one
        request has been told to wait, the others of this client wait as well.

        Raises:
            RefusedError: There is no answer.
            SettingsError: Nothing will be answered: the key is refused, the model is unknown.
        """
        data = json.dumps({**body, **self._settings.body}, ensure_ascii=False).encode()
        for attempt in range(self._settings.retries + 1):
            self._wait_for_rest()
            try:
                return self._attempt(data)
            except RefusedError as error:
                if not error.passing or attempt == self._settings.retries:
                    raise
                self._pause(error, attempt)
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()

    def _wait_for_rest(self) -> None:
        while (left := self._rest - time.monotonic()) > 0:
            time.sleep(left)

    def _pause(self, error: RefusedError, attempt: int) -> None:
        settings = self._settings
        if error.wait is not None:
            wait = min(error.wait, settings.longest_wait)
            self._rest = max(self._rest, time.monotonic() + wait)
        else:
            wait = min(settings.backoff * 2**attempt, settings.longest_wait)
            wait *= self._rng.uniform(0.5, 1.0)
        time.sleep(wait)

    def _attempt(self, data: bytes) -> Completion:
        http = self._urllib3.exceptions
        deadline = time.monotonic() + self._settings.timeout
        try:
            answer = self._pool.request(
                "POST",
                self._url,
                body=data,
                headers=self._headers,
                timeout=self._urllib3.Timeout(
                    connect=min(30.0, self._settings.timeout), read=self._settings.timeout
                ),
                retries=False,
                preload_content=False,
            )
            try:
                content = _read(answer, deadline)
            finally:
                answer.release_conn()
        except (http.HTTPError, OSError) as error:
            raise RefusedError(self._plain(f"{_name(error)}: {error}"), passing=True) from None
        if answer.status != 200:
            raise self._refusal(answer.status, answer.headers.get("Retry-After"), content)
        return _completion(content)

    def _refusal(self, status: int, retry_after: str | None, content: bytes) -> Exception:
        said = self._plain(" ".join(content[: 4 * _SHOWN].decode(errors="replace").split()))
        message = f"the endpoint answers {status}: {said[:_SHOWN]}"
        if status in _FATAL:
            return SettingsError(f"{self._settings.base_url}: {message}")
        return RefusedError(message, passing=status in _PASSING, wait=_seconds(retry_after))

    def _plain(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def _pool(urllib3: Any, url: str, connections: int) -> Any:
    from urllib.request import getproxies, proxy_bypass

    parsed = urllib3.util.parse_url(url)
    proxy = None if proxy_bypass(parsed.host) else getproxies().get(parsed.scheme)
    if proxy:
        return urllib3.ProxyManager(proxy, maxsize=connections)
    return urllib3.PoolManager(maxsize=connections)


def _read(answer: Any, deadline: float) -> bytes:
    """Returns the body; a server that drips it is given up at the deadline."""
    parts, size = [], 0
    while part := answer.read1(_BLOCK):
        parts.append(part)
        size += len(part)
        if time.monotonic() > deadline:
            raise TimeoutError("the answer did not end in time")
        if size > _LARGEST:
            raise OSError(f"the answer is longer than {_LARGEST} bytes")
    return b"".join(parts)


def _completion(content: bytes) -> Completion:
    try:
        found = json.loads(content)
        choice = found["choices"][0]
        message = choice["message"]
        text = message.get("content") or message.get("refusal") or ""
        thought = message.get("reasoning_content") or message.get("reasoning") or ""
        usage = found.get("usage") or {}
        if not isinstance(text, str):
            raise TypeError("content is no text")
        return Completion(
            f"<think>{thought}</think>{text}" if thought else text,
            _finish(choice.get("finish_reason"), refused=bool(message.get("refusal"))),
            usage.get("prompt_tokens"),
            usage.get("completion_tokens"),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        shown = content[:80].decode(errors="replace")
        raise RefusedError(
            f"the endpoint answers something that is no completion ({_name(error)}): {shown!r}",
            passing=True,
        ) from None


def _finish(reason: Any, *, refused: bool) -> str:
    if refused:
        return "refusal"
    return reason if reason in {"length", "content_filter"} else "stop"


def _seconds(retry_after: str | None) -> float | None:
    """Returns what Retry-After says, in seconds; None where it says nothing that is understood."""
    if retry_after is None:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        when = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, when.timestamp() - time.time())


def _name(error: BaseException) -> str:
    return type(error).__name__
