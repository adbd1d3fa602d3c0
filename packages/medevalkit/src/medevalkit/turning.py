"""An event loop that turns while requests are drawn, in the same thread."""

import asyncio
from collections import deque
from queue import Empty
from typing import Generic, TypeVar

A = TypeVar("A")


class Turning(Generic[A]):
    """What comes in while a loop turns: once when asked in passing, until something is there else.

    The loop needs no thread of its own then. Where both have work for Python, two threads spend
    more on handing Python's lock to each other than a turn costs.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._came: deque[A | BaseException] = deque()
        self._more = asyncio.Event()

    def put(self, item: A | BaseException, /) -> None:
        """Adds an answer, or what went wrong; from the loop, or where it does not turn."""
        self._came.append(item)
        self._more.set()

    def get(self, block: bool) -> A | BaseException:
        """Takes the first; `queue.Empty` where there is none."""
        if not self._came and block:
            self._more.clear()
            self._loop.run_until_complete(self._more.wait())
        elif not self._came:
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()
        if not self._came:
            raise Empty
        return self._came.popleft()
