"""Calls one by one, many in flight: paced, retried, journaled."""

import asyncio
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from lingshu_core.console import progress, say
from lingshu_core.errors import DataError, SettingsError, Stopped
from lingshu_synth.budget import Account
from lingshu_synth.call import Call, Reply, request_of
from lingshu_synth.driver import Driver, Faults, Replies
from lingshu_synth.endpoint import Endpoint
from lingshu_synth.generator import Generator, Rejected
from lingshu_synth.heap import map_large_blocks
from lingshu_synth.journal import End, Journal, UnderWay
from lingshu_synth.line import Lines
from lingshu_synth.reading import Entry, Reading
from lingshu_synth.replies import parse, usage_of
from lingshu_synth.sending import Sender
from lingshu_synth.settings import GeneratorSettings
from lingshu_synth.studio import Studio

_AHEAD = 32
"""Items that are read in one go."""
_TOLD_EVERY = 30.0
_RECALL_FOR = 30.0
"""Seconds from its sending for which a stored completion is looked for."""


class Online(Driver):
    """Runs many scripts at a time against endpoints.

    Args:
        journal: Where calls and replies are kept.
        settings: Endpoints, concurrency, attempts, budget.
        studio: Draws the pictures.
    """

    def __init__(self, journal: Journal, settings: GeneratorSettings, studio: Studio) -> None:
        self._journal = journal
        self._replies = Replies(journal, settings.calls.ask_again)
        self._settings = settings
        self._studio = studio
        self.account = Account(settings.model.name, settings.calls)

    def ask(self, reading: Reading, generator: Generator[Any]) -> Faults:
        """See `Driver.ask`."""
        map_large_blocks()
        return asyncio.run(self._ask(reading, generator))

    async def _ask(self, reading: Reading, generator: Generator[Any]) -> Faults:
        calls = self._settings.calls
        async with Lines(calls) as lines:
            await self._recover(lines)
            sender = Sender(lines, self._journal, self.account, self._studio, calls.attempts)
            run = _Run(generator, sender, self._replies)
            with _stoppable(sender):
                telling = asyncio.create_task(self._tell())
                try:
                    await run.all(reading, calls.concurrency)
                finally:
                    telling.cancel()
        say(f"{generator.name}: {self.account.told()}")
        if sender.halted is not None:
            raise sender.halted
        return run.faults

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(_TOLD_EVERY)
            say(self.account.told())

    async def _recover(self, lines: Lines) -> None:
        """Finds out what became of the attempts that a killed run left under way."""
        journal = self._journal
        waiting = journal.under_way()
        storing = [line.endpoint for line in lines.all if line.endpoint.settings.stores]
        lost = await recall(waiting, storing, journal) if storing else waiting
        for one in lost:
            journal.settle(one.ticket, End("lost"))
        await journal.committed()
        if waiting:
            say(told_after_kill(len(waiting), lost))


class _Run:
    """The scripts of one input, many at a time."""

    def __init__(self, generator: Generator[Any], sender: Sender, replies: Replies) -> None:
        self._generator = generator
        self._sender = sender
        self._replies = replies
        self._under_way: dict[str, asyncio.Future[Reply]] = {}
        self.faults: Faults = {}

    async def all(self, reading: Reading, workers: int) -> None:
        """Runs the script of every item, or until the sender is halted."""
        total = reading.expected()
        feed = _Feed(iter(progress(reading, f"asking for {self._generator.name}", total)))
        await asyncio.gather(*(self._work(feed) for _ in range(workers)))

    async def _work(self, feed: "_Feed") -> None:
        while self._sender.halted is None and (entry := await feed.next()) is not None:
            try:
                if entry.fault is None:
                    await self._play(entry)
            except DataError as error:
                self.faults[entry.item.id] = Rejected("unreadable", error.message)
            except (Stopped, SettingsError) as error:
                self._sender.halt(error)

    async def _play(self, entry: Entry) -> None:
        script = self._generator.script(entry.item)
        try:
            calls = next(script)
            while True:
                calls = script.send(await self._answer(calls, entry))
        except StopIteration:
            return
        finally:
            script.close()

    async def _answer(self, calls: tuple[Call, ...], entry: Entry) -> tuple[Reply, ...]:
        if len(calls) == 1:
            return (await self._reply(calls[0], entry),)
        # All of them end before a fault of one is told: a reply under way is paid.
        found = await asyncio.gather(
            *(self._reply(call, entry) for call in calls), return_exceptions=True
        )
        for one in found:
            if isinstance(one, BaseException):
                raise one
        return tuple(one for one in found if isinstance(one, Reply))

    async def _reply(self, call: Call, entry: Entry) -> Reply:
        request = request_of(call)
        shared = self._under_way.get(request.key)
        if shared is not None:
            return await asyncio.shield(shared)
        known, reply = self._replies.find(request)
        if reply is not None:
            return reply
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._under_way[request.key] = future
        try:
            reply = await self._sender.send(known, request, entry.manifest)
        except BaseException as error:
            future.set_exception(error)
            future.exception()  # whoever shares it may be nobody
            raise
        finally:
            del self._under_way[request.key]
        future.set_result(reply)
        return reply


class _Feed:
    """Hands out entries to many workers, reading ahead in a thread."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries
        self._read: deque[Entry] = deque()
        self._lock = asyncio.Lock()

    async def next(self) -> Entry | None:
        """Returns the next entry, or None after the last."""
        if not self._read:
            async with self._lock:
                if not self._read:
                    self._read.extend(await asyncio.to_thread(self._some))
        return self._read.popleft() if self._read else None

    def _some(self) -> list[Entry]:
        return list(islice(self._entries, _AHEAD))


async def recall(
    waiting: Sequence[UnderWay], storing: Sequence[Endpoint], journal: Journal
) -> list[UnderWay]:
    """Asks endpoints that store completions for those of attempts whose end is unknown.

    What an endpoint is still working on is asked for again until it is too old for that.

    Returns:
        The attempts of which no endpoint knows.
    """
    left = list(waiting)
    while left:
        still = []
        for one in left:
            found = [raw for place in storing if (raw := await place.recall(one.key))]
            if found:
                tokens = usage_of(parse(found[0]))
                journal.settle(one.ticket, End("answered", 200, found[0], *tokens))
            else:
                still.append(one)
        left = still
        if not left or time.time() - max(one.sent for one in left) > _RECALL_FOR:
            break
        await asyncio.sleep(1.0)
    return left


def told_after_kill(count: int, lost: Sequence[UnderWay]) -> str:
    """Returns what a user has to know about the attempts that a killed run left under way."""
    told = f"{count} calls were under way when the last run ended"
    if len(lost) < count:
        told += f", {count - len(lost)} of them found again at the endpoint"
    if lost:
        usd = sum(one.most_usd or 0.0 for one in lost)
        money = f", which costs up to ${usd:.4f} twice" if usd else ""
        told += f"; {len(lost)} are made again{money}"
    return told


@contextmanager
def _stoppable(sender: Sender) -> Iterator[None]:
    """Lets SIGINT and SIGTERM end the run after what is under way; a second one ends it at once."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop() -> None:
        say("stopping: waiting for the calls under way (once more to end at once)")
        sender.halt(Stopped("stopped; the same command goes on from here"))
        for number in signals:
            loop.remove_signal_handler(number)

    installed = threading.current_thread() is threading.main_thread()
    if installed:
        for number in signals:
            loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        if installed:
            for number in signals:
                loop.remove_signal_handler(number)
