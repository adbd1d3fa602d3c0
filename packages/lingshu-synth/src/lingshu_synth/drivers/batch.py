"""Calls by the thousand in one file, at half the price within a day.

Which calls go with which file is committed before the file leaves the machine, so that a killed
run finds its batches again. What a batch leaves undone goes into a later one.
"""

import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

from lingshu_core.console import progress, say
from lingshu_core.errors import DataError, SettingsError, Stopped
from lingshu_core.manifest import Manifest
from lingshu_synth.batch_place import BatchPlace, Line, place_for
from lingshu_synth.budget import Account, Cost
from lingshu_synth.call import Call, Reply, Request, request_of, shots_of
from lingshu_synth.driver import Driver, Faults, Replies
from lingshu_synth.endpoint import Answer, wire
from lingshu_synth.generator import Generator, Rejected
from lingshu_synth.journal import End, Journal, Known
from lingshu_synth.ledger import Chunk, Ledger, Member, OpenChunk
from lingshu_synth.reading import Entry, Reading
from lingshu_synth.replies import usage_of
from lingshu_synth.settings import GeneratorSettings
from lingshu_synth.studio import Studio

_TOO_MUCH = ("token_limit", "quota", "rate_limit", "too many")
"""In the fault of a batch that was turned away only because too much waits already."""


class Batch(Driver):
    """Gathers the calls that are open, hands them in, waits, and does so again for what follows.

    Args:
        journal: Where calls, chunks and replies are kept.
        settings: The endpoint, sizes of files, budget.
        studio: Draws the pictures.

    Raises:
        SettingsError: There is not exactly one endpoint.
    """

    def __init__(self, journal: Journal, settings: GeneratorSettings, studio: Studio) -> None:
        if len(settings.calls.endpoints) != 1:
            raise SettingsError("a batch goes to one endpoint: name exactly one")
        self._calls = settings.calls
        self._endpoint = settings.calls.endpoints[0]
        self._replies = Replies(journal, settings.calls.ask_again)
        self._journal = journal
        self._ledger = Ledger(journal)
        self._studio = studio
        self._place: BatchPlace = place_for(self._endpoint, settings.model.name)
        self._waiting: list[Chunk] = []
        self._filling: OpenChunk | None = None
        self._broken = 0
        """Requests that the endpoint could not work off, though it tried."""
        self._told = ""
        """What the last line without an answer said."""
        self.account = Account(settings.model.name, settings.calls)

    def ask(self, reading: Reading, generator: Generator[Any]) -> Faults:
        """See `Driver.ask`."""
        with closing(self._place):
            return self._ask(reading, generator)

    def _ask(self, reading: Reading, generator: Generator[Any]) -> Faults:
        for chunk in self._ledger.left_over(self._place):
            self.account.hold(sum(m.most_usd or 0.0 for m in self._ledger.members(chunk).values()))
            self._hand_in(chunk)
        self._settle_until(0)
        while True:
            before = self.account.answered, self._broken
            round_ = _Round(self._replies, self._add)
            round_.all(reading, generator)
            self._hand_in_last()
            self._settle_until(0)
            if round_.halted is not None:
                raise round_.halted
            if not round_.missing:
                break
            if (self.account.answered, self._broken) == before:
                raise Stopped(
                    "no request of the last batches was answered"
                    f"{self._told and f' ({self._told})'}; the same command tries again"
                )
        say(f"{generator.name}: {self.account.told()}")
        return round_.faults

    def _add(self, known: Known | None, request: Request, manifest: Manifest) -> None:
        """Puts a call into the file that is being filled, and hands that in when it is full."""
        call = request.call
        pictures = {
            shot: self._studio.data_url(shot, manifest, call.pictures) for shot in shots_of(call)
        }
        cost = self.account.cost(call)
        self.account.reserve(cost)
        body = wire(call, pictures, self._endpoint, request.key)
        if self._filling is None:
            self._filling = self._ledger.begin()
        self._ledger.add(self._filling, known, request, body, (self._place.kind, cost.most_usd))
        full = self._filling
        if full.count >= self._calls.batch_requests or full.size >= self._calls.batch_bytes:
            self._hand_in_last()

    def _hand_in_last(self) -> None:
        if self._filling is not None:
            chunk, self._filling = self._ledger.close(self._filling), None
            self._hand_in(chunk)

    def _hand_in(self, chunk: Chunk) -> None:
        """Hands a chunk in as soon as there is room for one more at the endpoint."""
        self._settle_until(self._calls.batch_open - 1)
        if not chunk.remote:
            self._ledger.submitted(chunk, self._place.submit(chunk.name, chunk.path))
        self._waiting.append(chunk)

    def _settle_until(self, most: int) -> None:
        """Waits until at most so many chunks are under way."""
        while len(self._waiting) > most:
            before = len(self._waiting)
            for chunk in list(self._waiting):
                self._look(chunk)
            if len(self._waiting) == before:
                time.sleep(self._calls.batch_poll)

    def _look(self, chunk: Chunk) -> None:
        state = self._place.state(chunk.remote)
        if state.is_ == "ended":
            self._waiting.remove(chunk)
            self._settle(chunk)
        elif state.is_ == "turned away":
            self._waiting.remove(chunk)
            self._turned_away(chunk, state.told)

    def _settle(self, chunk: Chunk) -> None:
        """Books every outcome of a batch; what has none is open again."""
        left = self._ledger.members(chunk)
        for line in self._place.lines(chunk.remote):
            member = left.get(line.key)
            if member is not None and self._settle_line(member, line):
                del left[line.key]
        for member in left.values():
            self.account.release(Cost(0, member.most_usd), perhaps_paid=False)
        self._ledger.settled(chunk, left.values())
        self._place.clear(chunk.remote)

    def _settle_line(self, member: Member, line: Line) -> bool:
        answer = Answer.of(line.status, {}, line.raw)
        kind = answer.kind
        if kind not in ("whole", "final"):
            self._told = answer.told()
            return kind == "fault" and line.status > 0 and self._settle_broken(member, line)
        tokens = usage_of(answer.data)
        cost = Cost(0, member.most_usd)
        usd = None
        if kind == "whole":
            usd = self.account.settle(cost, *tokens)
        else:
            self.account.refused(cost)
        self._journal.settle(member.ticket, End("answered", line.status, line.raw, *tokens, usd))
        return True

    def _settle_broken(self, member: Member, line: Line) -> bool:
        """Books a fault of the server; a call that had its share of them is answered by the last.

        Otherwise one request that the server always stumbles over would hold up all records.
        """
        self._broken += 1
        cost = Cost(0, member.most_usd)
        if self._ledger.broken(member) + 1 < self._calls.attempts:
            self.account.release(cost, perhaps_paid=False)
            self._journal.settle(member.ticket, End("failed", line.status, line.raw))
            return True
        self.account.refused(cost)
        self._journal.settle(member.ticket, End("answered", line.status, line.raw))
        return True

    def _turned_away(self, chunk: Chunk, told: str) -> None:
        members = self._ledger.members(chunk)
        for member in members.values():
            self.account.release(Cost(0, member.most_usd), perhaps_paid=False)
        self._ledger.dissolve(chunk)
        if not any(word in told.lower() for word in _TOO_MUCH):
            raise Stopped(f"the endpoint turned a batch away: {told}; the same command tries again")
        say(f"the endpoint has too much waiting ({told}); these calls go into a later batch")
        time.sleep(self._calls.batch_poll)


class _Round:
    """One pass over the input: every call that is open goes to `add`, once."""

    def __init__(
        self, replies: Replies, add: Callable[[Known | None, Request, Manifest], None]
    ) -> None:
        self._replies = replies
        self._add = add
        self._seen: set[int] = set()
        self.missing = 0
        """Calls that had no reply."""
        self.faults: Faults = {}
        self.halted: Stopped | None = None
        """Why not all of the input was gone through."""

    def all(self, reading: Reading, generator: Generator[Any]) -> None:
        """Goes through the input, or as far as the budget reaches."""
        label = f"gathering for {generator.name}"
        for entry in progress(reading, label, reading.expected()):
            if entry.fault is not None:
                continue
            try:
                generator.play(entry.item, partial(self._answer, entry))
            except DataError as error:
                self.faults[entry.item.id] = Rejected("unreadable", error.message)
            except Stopped as spent:
                self.halted = spent
                return

    def _answer(self, entry: Entry, calls: tuple[Call, ...]) -> tuple[Reply, ...] | None:
        replies = []
        for call in calls:
            request = request_of(call)
            known, reply = self._replies.find(request)
            if reply is not None:
                replies.append(reply)
                continue
            self.missing += 1
            short = int(request.key[:16], 16)
            if short not in self._seen:
                self._seen.add(short)
                self._add(known, request, entry.manifest)
        return tuple(replies) if len(replies) == len(calls) else None
