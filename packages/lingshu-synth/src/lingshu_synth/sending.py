"""One call until it is answered: attempts, pauses, failover, each attempt in the journal."""

import asyncio
import contextlib
import json
import time
from random import Random

from lingshu_core.errors import SettingsError, Stopped
from lingshu_core.manifest import Manifest
from lingshu_synth.budget import Account, Cost
from lingshu_synth.call import Reply, Request, Shot, shots_of
from lingshu_synth.endpoint import Answer, Unreachable, wire
from lingshu_synth.journal import End, Journal, Known, State, Ticket
from lingshu_synth.line import Line, Lines
from lingshu_synth.replies import reply_of, usage_of
from lingshu_synth.studio import Studio

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0
_SHORT = 1.0


class Sender:
    """Sends calls and settles them.

    Args:
        lines: Where to.
        journal: Where every attempt and every reply is kept.
        account: What it costs.
        studio: Draws the pictures that go along.
        attempts: How often a call is tried.
    """

    def __init__(
        self, lines: Lines, journal: Journal, account: Account, studio: Studio, attempts: int
    ) -> None:
        self._lines = lines
        self._journal = journal
        self._account = account
        self._studio = studio
        self._attempts = attempts
        self._random = Random()
        self._halt = asyncio.Event()
        self.halted: Stopped | SettingsError | None = None
        """Why no further attempt is made, where that is so."""

    async def send(self, known: Known | None, request: Request, manifest: Manifest) -> Reply:
        """Returns the reply to a call, having committed it to the journal.

        Raises:
            Stopped: The run is to end: budget, no endpoint, or a wish of the user.
            SettingsError: No endpoint takes the key or knows the model.
            DataError: A picture of the call cannot be read.
        """
        pictures = await self._pictures(request, manifest)
        cost = self._account.cost(request.call)
        begun = time.monotonic()
        tries = 0
        while True:
            line = self._line()
            await line.pacer.enter(cost.tokens, self._sleep)
            try:
                self._go_on()
                ticket = await self._begin(line, known, request, cost)
                answer = await self._attempt(line, request, pictures, ticket)
            finally:
                line.pacer.leave()
            known = Known(ticket.call, 0, None)
            if answer.kind in ("whole", "final"):
                return await self._answered(line, request, ticket, cost, answer)
            self._missed(line, ticket, cost, answer)
            if answer.kind == "fault":
                tries += 1
                if tries == self._attempts:
                    return await self._give_up(request, ticket, answer, begun)
                self._account.retried += 1
                await self._sleep(pause(tries, self._random))

    def halt(self, why: Stopped | SettingsError) -> None:
        """Lets no further attempt begin; those under way end as they end."""
        self.halted = self.halted or why
        self._halt.set()

    def _go_on(self) -> None:
        if self.halted is not None:
            raise self.halted

    def _line(self) -> Line:
        self._go_on()
        line = self._lines.choose()
        if line is None:
            told = "; ".join(f"{one.endpoint.name}: {one.closed}" for one in self._lines.all)
            self.halt(SettingsError(f"no endpoint answers: {told}"))
            self._go_on()
        assert line is not None
        return line

    async def _pictures(self, request: Request, manifest: Manifest) -> dict[Shot, str]:
        call = request.call
        drawn = {}
        for shot in shots_of(call):
            drawn[shot] = await asyncio.to_thread(
                self._studio.data_url, shot, manifest, call.pictures
            )
        return drawn

    async def _begin(self, line: Line, known: Known | None, request: Request, cost: Cost) -> Ticket:
        try:
            self._account.reserve(cost)
        except Stopped as spent:
            self.halt(spent)
            raise
        kind = line.endpoint.settings.kind
        ticket = self._journal.begin(known, request, kind, most_usd=cost.most_usd)
        await self._journal.committed()
        return ticket

    async def _attempt(
        self, line: Line, request: Request, pictures: dict[Shot, str], ticket: Ticket
    ) -> Answer:
        body = wire(request.call, pictures, line.endpoint.settings, request.key)
        sent = time.monotonic()
        try:
            answer = await line.endpoint.send(body)
        except Unreachable as error:
            line.failed()
            return Answer.none(str(error))
        if answer.kind in ("whole", "final"):
            line.answered()
            line.pacer.passed(answer.headers)
        elif answer.kind == "pace":
            line.pacer.refused(answer.headers, sent)
        elif answer.kind == "closed":
            line.closed = answer.told()
        else:
            line.pacer.let_in()
            line.failed()
        return answer

    async def _answered(
        self, line: Line, request: Request, ticket: Ticket, cost: Cost, answer: Answer
    ) -> Reply:
        tokens = usage_of(answer.data)
        usd = None
        if answer.kind == "whole":
            usd = self._account.settle(cost, *tokens)
        else:
            self._account.refused(cost)
        self._journal.settle(ticket, End("answered", answer.status, answer.raw, *tokens, usd))
        await self._journal.committed()
        return reply_of(request.key, answer.status, answer.data, line.endpoint.settings.kind)

    def _missed(self, line: Line, ticket: Ticket, cost: Cost, answer: Answer) -> None:
        """Books an attempt that brought no reply."""
        # A line that broke, a wait that was too long and a cut reply may be billed all the same.
        perhaps = answer.kind == "fault" and answer.status < 400
        state: State = "failed" if answer.kind == "fault" else "refused"
        self._account.release(cost, perhaps_paid=perhaps)
        self._journal.settle(ticket, End(state, answer.status, answer.raw))

    async def _give_up(
        self, request: Request, ticket: Ticket, answer: Answer, begun: float
    ) -> Reply:
        """Settles a call that fails while others are answered; ends the run where none is."""
        told = answer.told()
        if self._lines.last_good() < begun:
            self.halt(
                Stopped(f"no endpoint gives an answer ({told}); the same command goes on from here")
            )
            self._go_on()
        data = {"error": {"message": told}}
        self._journal.settle(ticket, End("answered", answer.status, json.dumps(data).encode()))
        await self._journal.committed()
        # A status of success is no such thing where the body was never whole.
        return reply_of(request.key, answer.status, data, "")

    async def _sleep(self, seconds: float) -> None:
        """Sleeps, but not on while the run is ending."""
        if seconds < _SHORT:
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._halt.wait(), seconds)


def pause(tries: int, random: Random) -> float:
    """Returns the seconds before a call that failed so many times is tried again.

    Exponential with full jitter: calls that failed together do not come back together.
    """
    return random.uniform(0.0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**tries))
