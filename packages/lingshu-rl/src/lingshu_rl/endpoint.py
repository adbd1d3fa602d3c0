"""A model at an OpenAI-compatible endpoint: cached on disk, patient, never asked twice."""

import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from openai import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    InternalServerError,
    NotFoundError,
    OpenAI,
    PermissionDeniedError,
    RateLimitError,
)

from lingshu_core.database import PATIENCE, write_ahead
from lingshu_core.digest import digest
from lingshu_core.errors import SettingsError, Stopped
from lingshu_rl.settings import Endpoint as EndpointSettings

_PAUSE = 2.0
"""Seconds between two attempts at an endpoint that is down."""
_MOST_TOKENS = 16


class Endpoint:
    """Asks short questions; replies are kept in an SQLite file.

    Args:
        settings: Where the model is, and limits.
        cache: The SQLite file; several runs and ranks may share it.
    """

    def __init__(self, settings: EndpointSettings, cache: Path) -> None:
        self._settings = settings
        self._client = OpenAI(
            base_url=settings.base_url,
            api_key=os.environ.get(settings.key_variable) or "none",
            timeout=settings.timeout,
            max_retries=2,
        )
        self._cache = _Cache(cache)
        self.counts: Counter[str] = Counter()
        """Prompts `asked`, `known` from the cache, `refused`; tokens `in`, `out`."""

    def ask(self, prompts: Sequence[str]) -> dict[str, str | None]:
        """Returns the reply to every distinct prompt, None where the endpoint refuses it.

        Raises:
            Stopped: The endpoint stayed away longer than the settings' patience; what was
                answered is kept.
            SettingsError: It knows neither the key nor the model.
        """
        replies = {prompt: self._cache.get(self._key(prompt)) for prompt in dict.fromkeys(prompts)}
        fresh = [prompt for prompt, reply in replies.items() if reply is None]
        self.counts["known"] += len(replies) - len(fresh)
        with ThreadPoolExecutor(self._settings.concurrency) as pool:
            replies |= dict(zip(fresh, pool.map(self._ask, fresh), strict=True))
        return replies

    def _key(self, prompt: str) -> str:
        return digest([self._settings.model, prompt])

    def _ask(self, prompt: str) -> str | None:
        where = f"the model {self._settings.model!r} at {self._settings.base_url}"
        until = time.monotonic() + self._settings.patience
        while True:
            try:
                reply = self._call(prompt)
                self._cache.put(self._key(prompt), reply)
                return reply
            except (AuthenticationError, PermissionDeniedError, NotFoundError) as error:
                raise SettingsError(f"{where}: {error}") from None
            except (APIConnectionError, InternalServerError, RateLimitError) as error:
                if time.monotonic() >= until:
                    raise Stopped(
                        f"{where} does not answer ({type(error).__name__}); once it is back, the "
                        "same command goes on"
                    ) from None
                time.sleep(min(_PAUSE, self._settings.patience))
            except APIStatusError:
                self.counts["refused"] += 1
                return None

    def _call(self, prompt: str) -> str:
        reply = self._client.chat.completions.create(
            model=self._settings.model,
            messages=[{"role": "user", "content": prompt}],
            temperature=0.0,
            max_tokens=_MOST_TOKENS,
        )
        self.counts["asked"] += 1
        if reply.usage is not None:
            self.counts["in"] += reply.usage.prompt_tokens
            self.counts["out"] += reply.usage.completion_tokens
        return (reply.choices[0].message.content or "") if reply.choices else ""


class _Cache:
    """Replies by key, written as they come, so that a kill loses none that was paid for."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False)
        self._lock = threading.Lock()
        write_ahead(self._connection)
        with self._connection as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT)"
            )

    def get(self, key: str) -> str | None:
        """Returns a reply, None where there is none."""
        with self._lock:
            row = self._connection.execute(
                "SELECT reply FROM replies WHERE key = ?", (key,)
            ).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, reply: str) -> None:
        """Keeps a reply."""
        with self._lock, self._connection as connection:
            connection.execute("INSERT OR IGNORE INTO replies VALUES (?, ?)", (key, reply))
