"""An event loop that turns while requests are drawn, in the same thread; work goes on in heaps."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Generic, TypeVar

A = TypeVar("A")


class Heap:
    """A gate that lets tasks through in heaps, so that whoever works on them has many at a time.

    Args:
        size: How many wait for each other; 1 lets everyone through.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: list[asyncio.Future[None]] = []
        self._open = False

    async def passed(self) -> None:
        """Returns when enough others have come, or the gate is open."""
        if self._open or len(self._held) + 1 >= self._size:
            self._let_through()
            return
        mine = asyncio.get_running_loop().create_future()
        self._held.append(mine)
        await mine

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Lets everyone through for a while."""
        self._let_through()
        self._open = True
        try:
            yield
        finally:
            self._open = False

    def _let_through(self) -> None:
        for one in self._held:
            if not one.done():  # its task may have been cancelled
                one.set_result(None)
        self._held.clear()


class Turning(Generic[A]):
    """What comes in while a loop turns: once when asked in passing, until something is there else.

    The loop needs no thread of its own then. Where both have work for Python, two threads spend
    more on handing Python's lock to each other than a turn costs.

    Args:
        loop: Turns while something is asked for.
        heap: Opened while nothing else will happen than what it holds back.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, heap: Heap | None = None) -> None:
        self._loop = loop
        self._heap = heap or Heap(1)
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
            with self._heap.opened():
                self._loop.run_until_complete(self._more.wait())
        elif not self._came:
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()
        if not self._came:
            raise Empty
        return self._came.popleft()
