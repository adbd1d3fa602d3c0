"""`medevalkit judge`: asks a judging model about open answers, while a run goes on or after it."""

import json
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from lingshu_core.console import say
from lingshu_core.errors import Stopped
from medevalkit.account import Account
from medevalkit.cache import Cache
from medevalkit.endpoint import Client, Completion, RefusedError
from medevalkit.folder import locked
from medevalkit.following import Following
from medevalkit.judging import key, prompt
from medevalkit.settings import JudgeSettings
from medevalkit.verdicts import CACHE_NAME, JUDGES, settings_path
from medevalkit.window import Threads

_POLL = 0.2


@dataclass(frozen=True, slots=True)
class _Asked:
    key: bytes
    text: str


@dataclass(frozen=True, slots=True)
class _Heard:
    asked: _Asked
    completion: Completion | None
    error: str = ""


@dataclass
class Judged(Account):
    """What judging came to."""

    wanted: int = 0
    """Answers that a judge is asked about."""
    known: int = 0
    """Verdicts that were there already, or that two answers share."""
    asked: int = 0
    failed: int = 0

    def line(self, settings: JudgeSettings) -> str:
        """Returns all of it in a line."""
        return (
            f"{settings.shown()}: {self.wanted} answers, {self.known} verdicts known, "
            f"{self.asked} asked, {self.failed} failed; {self.text(settings.endpoint)}"
        )


def judge(folder: Path, settings: JudgeSettings, *, wait: bool = True) -> Judged:
    """Asks a judge about every open answer of a run that it has not judged yet.

    Verdicts go word for word into `verdicts.sqlite` of the run, one by one, under the hash of what
    was asked: killed at any moment, nothing that was answered is asked again.

    Args:
        folder: A run, under way or ended.
        settings: The judge.
        wait: Whether to go on as long as another process asks in the folder.

    Raises:
        SettingsError: The same judge is at work here, or its endpoint will not answer.
        Stopped: More questions failed than the budget allows; the same command goes on.
    """
    following = Following(folder)
    with ExitStack() as stack:
        stack.enter_context(locked(folder / JUDGES / f".{settings.shown()}.lock"))
        settings.write(settings_path(folder, settings.shown()))
        own = stack.enter_context(Cache(folder / CACHE_NAME))
        shared = stack.enter_context(Cache(Path(settings.cache))) if settings.cache else None
        return _Judging(following, settings, own, shared).all(wait=wait)


class _Judging:
    def __init__(
        self, following: Following, settings: JudgeSettings, own: Cache, shared: Cache | None
    ) -> None:
        self._following = following
        self._settings = settings
        self._own = own
        self._shared = shared
        self._account = Judged()
        self._asked: set[bytes] = set()
        self._waiting: deque[_Asked] = deque()

    def all(self, *, wait: bool) -> Judged:
        """Judges what is there and what comes."""
        client = Client(self._settings.endpoint)
        threads: Threads[_Asked, _Heard] = Threads(
            lambda asked: self._hear(client, asked), self._settings.endpoint.concurrency
        )
        try:
            self._loop(threads, wait=wait)
        finally:
            threads.close()
            client.close()
        say(self._account.line(self._settings))
        return self._account

    def _loop(self, threads: "Threads[_Asked, _Heard]", *, wait: bool) -> None:
        done: SimpleQueue[_Heard | BaseException] = SimpleQueue()
        flying, last = 0, False
        while True:
            if not self._waiting and not last:
                # Looked at before the journal is read: what came in between is read as well.
                last = not (wait and self._following.under_way())
                self._read()
            while self._waiting and flying < self._settings.endpoint.concurrency:
                threads.submit(self._waiting.popleft(), done.put)
                flying += 1
            if flying:
                try:
                    self._keep(done.get(timeout=_POLL))
                    flying -= 1
                except Empty:
                    pass
            elif last and not self._waiting:
                return
            elif not self._waiting:
                time.sleep(_POLL)

    def _read(self) -> None:
        for record, prediction in self._following.new():
            text = prompt(record, prediction, self._settings.protocol)
            if text is None:
                continue
            self._account.wanted += 1
            address = key(self._settings, text)
            if address in self._asked or self._known(address):
                self._account.known += 1
            else:
                self._waiting.append(_Asked(address, text))
            self._asked.add(address)

    def _known(self, address: bytes) -> bool:
        if self._own.get(address) is not None:
            return True
        found = self._shared.get(address) if self._shared else None
        if found is not None:
            self._own.put(address, found)
            self._own.flush()
        return found is not None

    def _hear(self, client: Client, asked: _Asked) -> _Heard:
        body = {
            "model": self._settings.model,
            "messages": [{"role": "user", "content": asked.text}],
            "temperature": self._settings.temperature,
            self._settings.endpoint.limit_field: self._settings.max_new_tokens,
        }
        try:
            return _Heard(asked, client.complete(body))
        except RefusedError as error:
            return _Heard(asked, None, str(error))

    def _keep(self, heard: _Heard | BaseException) -> None:
        if isinstance(heard, BaseException):
            raise heard
        self._account.asked += 1
        found = heard.completion
        if found is None:
            self._account.failed += 1
            if self._account.failed >= self._settings.endpoint.error_budget:
                raise Stopped(
                    f"{self._account.failed} questions failed, the last because {heard.error}; "
                    "the same command goes on"
                )
            return
        self._account.add(found.prompt_tokens, found.completion_tokens)
        value = json.dumps(
            {"raw": found.text, "finish_reason": found.finish_reason}, ensure_ascii=False
        )
        for cache in (self._own, self._shared):
            if cache is not None:
                cache.put(heard.asked.key, value)
                # Every verdict was paid for: none waits in memory.
                cache.flush()
