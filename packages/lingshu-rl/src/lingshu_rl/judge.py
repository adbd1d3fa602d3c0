"""A model as referee, asked only where the rules are silent, and never twice for the same thing.

Its failure is no verdict: the answer then has no reward at all, which teaches nothing, where half
a reward would teach the wrong thing.
"""

import json
import os
import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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

from lingshu_core.answers import check
from lingshu_core.digest import digest
from lingshu_core.errors import SettingsError, Stopped
from lingshu_core.golds import PhraseGold
from lingshu_core.prompts import load_prompt
from lingshu_core.records import Question
from lingshu_rl.reward import Verdict
from lingshu_rl.settings import Judge as JudgeSettings

_WORD = re.compile(r"\W*(right|wrong)\W*", re.I)
_PAUSE = 2.0
"""Seconds between two attempts at an endpoint that is down."""
_MOST_TOKENS = 16


@dataclass(frozen=True)
class _Case:
    """What the judge sees of an answer."""

    question: str
    gold: tuple[str, ...]
    answer: str


class Judge:
    """Asks an OpenAI-compatible endpoint; replies are kept in an SQLite file.

    Args:
        settings: Endpoint, model, limits.
        cache: The SQLite file; several runs and ranks may share it.
    """

    def __init__(self, settings: JudgeSettings, cache: Path) -> None:
        self._settings = settings
        self._prompt = load_prompt("lingshu_rl", "judge")
        self._client = OpenAI(
            base_url=settings.base_url,
            api_key=os.environ.get(settings.key_variable) or "none",
            timeout=settings.timeout,
            max_retries=2,
        )
        self._cache = _Cache(cache)
        self.counts: Counter[str] = Counter()
        """Answers `asked`, `known` from the cache, `unreadable`, `failed`; tokens `in`, `out`."""

    def __call__(self, pairs: Sequence[tuple[Question, str]]) -> list[Verdict]:
        """Returns a verdict on each answer.

        Raises:
            Stopped: The endpoint stayed away longer than the settings' patience.
            SettingsError: It knows neither the key nor the model.
        """
        cases = [_case(question, response) for question, response in pairs]
        short = {c for c in cases if c is not None and len(c.answer) <= self._settings.max_answer}
        keys = {case: self._key(case) for case in sorted(short, key=repr)}
        replies = {case: self._cache.get(key) for case, key in keys.items()}
        self.counts["known"] += sum(reply is not None for reply in replies.values())
        fresh = [case for case, reply in replies.items() if reply is None]
        with ThreadPoolExecutor(self._settings.concurrency) as pool:
            asked = pool.map(lambda case: self._ask(case, keys[case]), fresh)
            replies |= dict(zip(fresh, asked, strict=True))
        return [self._verdict(case, replies) for case in cases]

    def _verdict(self, case: _Case | None, replies: dict[_Case, str | None]) -> Verdict:
        if case is None:
            return Verdict(0.0, "no_answer")
        if case not in replies:
            return Verdict(0.0, "too_long_to_judge")
        reply = replies[case]
        word = _WORD.fullmatch(reply) if reply is not None else None
        if word is None:
            what = "judge_failed" if reply is None else "judge_unreadable"
            self.counts[what] += 1
            return Verdict(None, what)
        right = word[1].lower() == "right"
        return Verdict(1.0 if right else 0.0, "judged_right" if right else "judged_wrong")

    def _key(self, case: _Case) -> str:
        return digest(
            [self._settings.model, self._prompt.sha256, *case.gold, case.question, case.answer]
        )

    def _ask(self, case: _Case, key: str) -> str | None:
        """Returns the reply and keeps it; None where the endpoint refuses this one case."""
        text = self._prompt.render(
            question=case.question,
            gold=json.dumps(case.gold, ensure_ascii=False),
            answer=json.dumps(case.answer, ensure_ascii=False),
        )
        until = time.monotonic() + self._settings.patience
        while True:
            try:
                reply = self._call(text)
                self._cache.put(key, reply)
                return reply
            except (AuthenticationError, PermissionDeniedError, NotFoundError) as error:
                raise SettingsError(f"the judge at {self._settings.base_url}: {error}") from None
            except (APIConnectionError, InternalServerError, RateLimitError) as error:
                if time.monotonic() >= until:
                    raise Stopped(
                        f"the judge at {self._settings.base_url} does not answer "
                        f"({type(error).__name__}); the same command goes on from the last rollout"
                    ) from None
                time.sleep(min(_PAUSE, self._settings.patience))
            except APIStatusError:
                return None

    def _call(self, text: str) -> str:
        reply = self._client.chat.completions.create(
            model=self._settings.model,
            messages=[{"role": "user", "content": text}],
            temperature=0.0,
            max_tokens=_MOST_TOKENS,
        )
        self.counts["asked"] += 1
        if reply.usage is not None:
            self.counts["in"] += reply.usage.prompt_tokens
            self.counts["out"] += reply.usage.completion_tokens
        return (reply.choices[0].message.content or "") if reply.choices else ""


def _case(question: Question, response: str) -> _Case | None:
    assert isinstance(question.gold, PhraseGold)
    answer = check(question.gold, response).parsed
    return None if answer is None else _Case(question.question, question.gold.accepted, answer)


class _Cache:
    """Replies by key, written as they come, so that a kill loses none that was paid for."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=60, check_same_thread=False)
        self._lock = threading.Lock()
        with self._connection as connection:
            connection.execute("PRAGMA journal_mode=WAL")
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
