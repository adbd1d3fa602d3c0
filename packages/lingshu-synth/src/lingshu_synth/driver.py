"""Drivers: four ways to get the calls of a generator answered."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from lingshu_synth.call import Call, Reply, Request, request_of
from lingshu_synth.generator import Generator, Rejected
from lingshu_synth.journal import JournalReader, Known
from lingshu_synth.reading import Reading
from lingshu_synth.replies import read_reply

Faults = dict[str, Rejected]
"""Items of which no call could be made, by id: a picture that cannot be read."""


class Driver(ABC):
    """Sees to the calls of a whole input; what is written is read from the journal afterwards."""

    @abstractmethod
    def ask(self, reading: Reading, generator: Generator[Any]) -> Faults:
        """Gets every call of every item answered.

        Raises:
            Stopped: Not all are; the same command goes on.
        """


@dataclass(frozen=True)
class Replies:
    """The replies that the journal holds."""

    journal: JournalReader
    ask_again: tuple[str, ...] = ()
    """Outcomes that count as no reply until they came twice."""

    def find(self, request: Request) -> tuple[Known | None, Reply | None]:
        """Returns what is known of a call, and its reply where one counts."""
        known = self.journal.find(request.key)
        if known is None or known.stored is None:
            return known, None
        reply = read_reply(request.key, known.stored)
        if reply.finish in self.ask_again and known.replies < 2:
            return known, None
        return known, reply

    def all(self, calls: tuple[Call, ...]) -> tuple[Reply, ...] | None:
        """Returns the replies of calls, or None where one is missing."""
        found = [self.find(request_of(call))[1] for call in calls]
        return tuple(reply for reply in found if reply is not None) if all(found) else None
