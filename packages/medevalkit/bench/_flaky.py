"""An endpoint that fails for some items: always for one in eight, the first time for another.

It notes which items it has answered: one that is asked again after that was asked for nothing.
"""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from _conftest import tests

Reply = tuple[int, dict[str, str], bytes] | None
"""Status, headers and body; None hangs up."""

_ITEM = re.compile(r"(\d+): A patient|finding (\d+) concern")
"""The questions of `overhead.write` and of `kills_after.write`."""
_ALWAYS, _ONCE, _OF = 3, 5, 8


class Flaky:
    """The tests' endpoint with faults; used as a context manager.

    Args:
        fault: What happens where it fails; None where it never does.
        good_for: Items after which every request fails; None where those named above do.
        said: What it answers to an item, by number.
    """

    def __init__(
        self,
        fault: Callable[[], Reply] | None = None,
        *,
        good_for: int | None = None,
        said: Callable[[int], str] = lambda item: "AB"[item % 2],
    ) -> None:
        self.fault = fault
        self.answered: Counter[int] = Counter()
        self._good_for = good_for
        self._said = said
        self._tries: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._endpoint = tests().MockEndpoint()
        self._endpoint.answer = self._answer

    def __enter__(self) -> "Flaky":
        return self

    def __exit__(self, *error: object) -> None:
        self._endpoint.server.shutdown()
        self._endpoint.server.server_close()

    @property
    def url(self) -> str:
        """Returns the base of its addresses."""
        return str(self._endpoint.url)

    def repeated(self, items: Iterable[int]) -> int:
        """Returns how many requests about given items were more than one."""
        return sum(self.answered[item] - 1 for item in items)

    def _answer(self, body: dict[str, Any], number: int) -> Reply:
        found = _ITEM.search(json.dumps(body["messages"]))
        assert found is not None
        item = int(found[1] or found[2])
        with self._lock:
            self._tries[item] += 1
            fails = self.fault is not None and self._hits(item)
            if not fails:
                self.answered[item] += 1
        if fails:
            assert self.fault is not None
            return self.fault()
        reply: Reply = self._endpoint.say(self._said(item))
        return reply

    def _hits(self, item: int) -> bool:
        if self._good_for is not None:
            return len(self.answered) >= self._good_for
        first = self._tries[item] == 1
        return item % _OF == _ALWAYS or (item % _OF == _ONCE and first)


TIMEOUT = 2.0
"""Seconds that its clients are told to wait."""


def late() -> Reply:
    """Says nothing for longer than anyone waits."""
    time.sleep(2 * TIMEOUT)
    return None


def cut() -> Reply:
    """Ends the connection in the middle of a body."""
    status, headers, content = tests().MockEndpoint.say("A")
    more = {"X-Length": str(2 * len(content)), "Connection": "close"}
    return status, {**headers, **more}, content


def half() -> Reply:
    """Sends half a completion as if it were whole."""
    status, headers, content = tests().MockEndpoint.say("A")
    return status, headers, content[: len(content) // 2]


FAULTS: dict[str, Callable[[], Reply]] = {
    "does not answer in time": late,
    "hangs up": lambda: None,
    "breaks off in the answer": cut,
    "answers 429 with Retry-After": lambda: (429, {"Retry-After": "0.2"}, b"slow down"),
    "answers 500": lambda: (500, {}, b"out of order"),
    "answers with a page": lambda: (200, {}, b"<html>Bad gateway</html>"),
    "answers half a JSON": half,
}
