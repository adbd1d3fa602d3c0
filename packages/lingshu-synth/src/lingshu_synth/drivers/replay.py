"""No calls at all: what the journal holds has to be enough."""

from typing import Any

from lingshu_core.errors import Stopped
from lingshu_synth.driver import Driver, Faults, Replies
from lingshu_synth.generator import Generator
from lingshu_synth.journal import JournalReader
from lingshu_synth.reading import Reading
from lingshu_synth.settings import GeneratorSettings


class Replay(Driver):
    """Makes sure that every call is answered already: after a mended parser, on another machine."""

    def __init__(self, journal: JournalReader, settings: GeneratorSettings) -> None:
        self._replies = Replies(journal, settings.calls.ask_again)

    def ask(self, reading: Reading, generator: Generator[Any]) -> Faults:
        """See `Driver.ask`."""
        missing = sum(generator.play(item, self._replies.all) is None for item in reading.items())
        if missing:
            raise Stopped(
                f"{missing} records wait for replies that the journal does not hold: give the "
                "command without --replay"
            )
        return {}
