"""A bounded number of requests in flight, their answers as they come."""

from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, Protocol, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

Done = Callable[[A | BaseException], None]
"""Takes an answer, or what went wrong; from any thread that the queue behind it allows."""


class Came(Protocol[A]):
    """A queue of what has come in."""

    def put(self, item: A | BaseException, /) -> None:
        """Adds an answer, or what went wrong."""

    def get(self, block: bool) -> A | BaseException:
        """Takes the first, waiting for one if `block`; `queue.Empty` where there is none."""
        ...


def windowed(
    requests: Iterator[Q],
    size: int,
    submit: Callable[[Q, Done[A]], None],
    came: Came[A] | None = None,
) -> Iterator[A]:
    """Yields answers in the order in which they come, with at most `size` requests in flight.

    A request is drawn when there is room for it, and what has come in meanwhile is yielded before
    the next one is drawn: whoever keeps the answers has them as early as can be.

    Args:
        requests: What is asked; drawn in this thread.
        size: How many may be in flight.
        submit: Starts a request and hands its answer to a function, sooner or later.
        came: Where answers wait; a queue that threads fill where it is None.
    """
    queue: Came[A] = SimpleQueue() if came is None else came
    flying = 0
    for request in requests:
        submit(request, queue.put)
        flying += 1
        while flying and (answer := _next(queue, wait=flying >= size)) is not None:
            flying -= 1
            yield answer
    for _ in range(flying):
        answer = _next(queue, wait=True)
        assert answer is not None
        yield answer


def _next(queue: Came[A], *, wait: bool) -> A | None:
    try:
        answer = queue.get(block=wait)
    except Empty:
        return None
    if isinstance(answer, BaseException):
        raise answer
    return answer


class Threads(Generic[Q, A]):
    """Runs a blocking function in threads that do not keep the process alive."""

    def __init__(self, ask: Callable[[Q], A], most: int) -> None:
        self._ask = ask
        self._most = most
        self._todo: SimpleQueue[tuple[Q, Done[A]] | None] = SimpleQueue()
        self._started = 0

    def submit(self, request: Q, done: Done[A]) -> None:
        """Starts a request; the most threads there are, is the most requests at a time."""
        if self._started < self._most:
            self._started += 1
            Thread(target=self._work, daemon=True).start()
        self._todo.put((request, done))

    def close(self) -> None:
        """Lets the threads end when they have answered what they are at."""
        for _ in range(self._started):
            self._todo.put(None)

    def _work(self) -> None:
        while (job := self._todo.get()) is not None:
            request, done = job
            try:
                done(self._ask(request))
            except BaseException as error:
                done(error)
