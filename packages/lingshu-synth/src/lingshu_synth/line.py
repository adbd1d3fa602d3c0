"""Endpoints in order of preference, each with its pace and its health."""

import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from lingshu_synth.endpoint import Endpoint
from lingshu_synth.pacing import Pacer
from lingshu_synth.settings import CallSettings, EndpointSettings

_FAULTS = 3
"""Faults in a row after which the next endpoint is tried."""
_DOWN = 30.0
"""Seconds for which an endpoint is left alone then."""


class Line:
    """One endpoint."""

    def __init__(self, settings: EndpointSettings, calls: CallSettings) -> None:
        self.endpoint = Endpoint(settings, calls.concurrency, calls.timeout)
        self.pacer = Pacer(settings, calls.concurrency)
        self.closed = ""
        """Why it will answer nothing at all, where that is so."""
        self.good = 0.0
        """When it last answered, on the monotonic clock."""
        self._faults = 0
        self._down = 0.0

    def answered(self) -> None:
        """Takes in that it works."""
        self.good = time.monotonic()
        self._faults = 0

    def failed(self) -> None:
        """Takes in a fault; after some in a row it is left alone for a while."""
        self._faults += 1
        if self._faults >= _FAULTS:
            self._faults = 0
            self._down = time.monotonic() + _DOWN

    def ready(self) -> float:
        """Returns from when on it may be tried, on the monotonic clock."""
        return self._down


class Lines:
    """All endpoints of a run; used as an async context manager."""

    def __init__(self, calls: CallSettings) -> None:
        self.all: Sequence[Line] = [Line(settings, calls) for settings in calls.endpoints]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for line in self.all:
            await self._stack.enter_async_context(line.endpoint)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    def choose(self) -> Line | None:
        """Returns the first endpoint that is well, else the one that will be tried soonest.

        None where all of them are closed for good.
        """
        now = time.monotonic()
        usable = [line for line in self.all if not line.closed]
        well = next((line for line in usable if line.ready() <= now), None)
        return well or min(usable, key=lambda line: line.ready(), default=None)

    def last_good(self) -> float:
        """Returns when any of them last answered, on the monotonic clock; 0 if never."""
        return max(line.good for line in self.all)
