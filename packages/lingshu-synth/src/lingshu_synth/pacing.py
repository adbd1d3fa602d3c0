"""The pace at which one endpoint is called: two buckets, one shared gate, a window that opens.

How fast an endpoint may be called is learned from its headers and from what it turns away. A
refusal for pace (429) closes one gate for all calls until its Retry-After has passed, and sets the
pace to what went through in the time from the last refusal to the opening of the gate. None of
this uses up a call's attempts.
"""

import asyncio
import math
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from random import Random

from lingshu_synth.settings import EndpointSettings

_SAFETY = 0.95
"""Part of a known limit that is used."""
_FIRST_WINDOW = 4
_MEMORY = 10.0
"""Seconds over which the pace that went through is measured."""
_FAST = 0.25
"""Part by which the pace grows in a second, up to near where it was refused last."""
_NEAR = 0.8
_SLOWLY = 0.02
"""Part by which it grows in a second from there on."""
_LEAST = 0.3
"""Part of the pace that is left after a refusal at least."""
_SAFE = 0.85
"""Part of what went through in the best second of late that is held to be safe."""
_FEW = 3
"""So many calls in a second are needed to speak of a pace."""
_LONGEST_PAUSE = 60.0
_CATCH_UP = 0.05
"""Seconds' worth of calls that may go at once after the loop was held up."""
_EARLY = 0.01
"""Seconds by which a wait that was not cut short may be short all the same."""
_LOOK_EVERY = 8
"""Of so many answers the headers of one are read."""
_PERIODS = (1.0, 60.0, 3600.0, 86400.0)
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_STEP = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")
_DURATION = re.compile(rf"(?:{_STEP.pattern})+")

Sleep = Callable[[float], Awaitable[object]]


@dataclass
class Bucket:
    """Lets through so many units a second.

    The time at which the next unit is due is all its state (the generic cell rate algorithm).
    """

    rate: float | None = None
    """Units a second; None: no limit is known."""
    burst: float = 0.0
    """Seconds' worth of units that may come at once."""
    due: float = 0.0

    def wait(self, now: float) -> float:
        """Returns after how many seconds the next units may be taken."""
        return 0.0 if self.rate is None else max(0.0, self.due - now)

    def take(self, now: float, cost: float) -> None:
        """Takes `cost` units."""
        if self.rate is not None:
            self.due = max(self.due, now - self.burst) + cost / self.rate


class Pacer:
    """The pace of one endpoint, shared by all calls to it.

    Args:
        settings: The pace to start with, where it is known.
        concurrency: Calls in flight at most.
    """

    def __init__(self, settings: EndpointSettings, concurrency: int) -> None:
        self.requests = Bucket(_per_second(settings.requests_per_minute), burst=_CATCH_UP)
        self._wished_tokens = _per_second(settings.tokens_per_minute)
        self.tokens = Bucket(self._wished_tokens, burst=6.0)
        self.refusals = 0
        self._wished = self._most = self.requests.rate
        """Requests a second that are never exceeded, where that is known."""
        self._concurrency = concurrency
        self._window = asyncio.Semaphore(min(_FIRST_WINDOW, concurrency))
        self._opened = min(_FIRST_WINDOW, concurrency)
        self._turnstile = asyncio.Lock()
        self._gate = time.monotonic()
        """When calls may go again, or could again since the last refusal."""
        self._in_a_row = 0
        self._passed: deque[float] = deque()
        self._refused_at = 0.0
        """The pace, in requests a second, at which calls were turned away last."""
        self._random = Random()
        self._until_look = 0

    async def enter(self, tokens: float, sleep: Sleep = asyncio.sleep) -> None:
        """Waits for a turn.

        Args:
            tokens: Of prompt and reply together, about.
            sleep: How waiting is done; it may return early where nothing is to be sent any more.
        """
        await self._window.acquire()
        # One at a time waits for the next turn, so that nobody holds a turn of an older pace.
        async with self._turnstile:
            while (pause := self._wait()) > 0:
                until = time.monotonic() + pause
                await sleep(pause)
                if time.monotonic() < until - _EARLY:
                    break
            now = time.monotonic()
            self.requests.take(now, 1.0)
            self.tokens.take(now, tokens)

    def leave(self) -> None:
        """Gives the turn back."""
        self._window.release()

    def passed(self, headers: Mapping[str, str]) -> None:
        """Takes in that a call went through, and what its headers say about limits."""
        self.let_in()
        self._in_a_row = 0
        for _ in range(2):
            if self._opened < self._concurrency:
                self._opened += 1
                self._window.release()
        self._until_look -= 1
        if self._until_look < 0:
            # Looking at headers costs more than all the rest here.
            self._until_look = _LOOK_EVERY - 1
            self._learn(headers, time.monotonic())
        if self.requests.rate is not None:
            # Each call adds a part of a call a second: all calls of a second add that part.
            near = self.requests.rate >= _NEAR * self._refused_at
            faster = self.requests.rate + (_SLOWLY if near else _FAST)
            self.requests.rate = faster if self._most is None else min(faster, self._most)

    def let_in(self) -> None:
        """Takes in that a call was not turned away, whatever became of it."""
        now = time.monotonic()
        self._passed.append(now)
        while self._passed[0] < now - _MEMORY:
            self._passed.popleft()

    def refused(self, headers: Mapping[str, str], sent: float) -> None:
        """Takes in that a call was turned away for pace.

        Args:
            headers: Of the answer.
            sent: When the call was sent, on the monotonic clock.
        """
        now = time.monotonic()
        self.refusals += 1
        opened = self._gate
        pause = retry_after(headers)
        if pause is None:
            pause = min(_LONGEST_PAUSE, 2.0**self._in_a_row) * self._random.uniform(0.5, 1.0)
        self._gate = max(self._gate, now + pause)
        if sent >= opened:
            self._in_a_row += 1
            self._slow_down(max(opened, now - _MEMORY))

    def _slow_down(self, since: float) -> None:
        """Sets the pace to what went through from `since` until the gate opens again."""
        through = sum(1 for when in self._passed if when >= since)
        if not through:
            return  # a slower pace would not have helped
        measured = through / max(0.1, self._gate - since)
        before = self.requests.rate
        if before is not None:
            best = _SAFE * self._best()
            if best >= before:
                # More than that went through a moment ago: this refusal is not about the pace.
                self._refused_at = 0.0
                return
            measured = max(best, min(max(measured, _LEAST * before), 0.9 * before))
            self._refused_at = before
        self.requests.rate = measured
        self.requests.due = self._gate

    def _best(self) -> float:
        """Returns how many calls went through in the best second of late; 0 if only a few."""
        best = first = 0
        times = list(self._passed)
        for last, when in enumerate(times):
            while times[first] <= when - 1.0:
                first += 1
            best = max(best, last - first + 1)
        return float(best) if best >= _FEW else 0.0

    def _wait(self) -> float:
        now = time.monotonic()
        return max(self._gate - now, self.requests.wait(now), self.tokens.wait(now))

    def _learn(self, headers: Mapping[str, str], now: float) -> None:
        requests, tokens = limit_of(headers, "requests"), limit_of(headers, "tokens")
        if requests is not None:
            self._most = min(requests, self._wished or requests)
            if self.requests.rate is None:
                self.requests.rate = self._most
                # What went out before the limit was known counts against it too.
                self.requests.due = now + self._opened / self._most
        if tokens is not None:
            self.tokens.rate = min(tokens, self._wished_tokens or tokens)
        for what in ("requests", "tokens"):
            if headers.get(f"x-ratelimit-remaining-{what}") == "0":
                reset = duration(headers.get(f"x-ratelimit-reset-{what}", ""))
                self._gate = max(self._gate, now + min(reset or 0.0, _LONGEST_PAUSE))


def limit_of(headers: Mapping[str, str], what: str) -> float | None:
    """Returns a limit by the second that headers in OpenAI's form tell, with some room left.

    The period (second, minute, hour, day) is the one that agrees best with how much is used up
    and when all of it comes back; a minute where that cannot be said.

    Args:
        headers: Of any answer.
        what: `requests` or `tokens`.
    """
    try:
        limit = float(headers[f"x-ratelimit-limit-{what}"])
        used = limit - float(headers[f"x-ratelimit-remaining-{what}"])
    except (KeyError, ValueError):
        return None
    reset = duration(headers.get(f"x-ratelimit-reset-{what}", ""))
    period = 60.0
    if reset and used >= 1:
        # Resets are rounded; the period that a limit is for is one of a few.
        period = min(_PERIODS, key=lambda seconds: abs(math.log(limit / seconds * reset / used)))
    return _SAFETY * limit / period if limit > 0 else None


def duration(text: str) -> float | None:
    """Returns the seconds of a duration: `6m0s`, `7m12.5s`, `12ms`, `1.5`; None of other texts."""
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _DURATION.fullmatch(text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _STEP.findall(text))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Returns after how many seconds an endpoint wants to be asked again, where it says so."""
    milliseconds = headers.get("retry-after-ms", "")
    if _NUMBER.fullmatch(milliseconds):
        return float(milliseconds) / 1000
    text = headers.get("retry-after", "")
    if _NUMBER.fullmatch(text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _per_second(per_minute: float | None) -> float | None:
    return None if per_minute is None else per_minute / 60
