"""A generator for benches: one call a record, with its pictures; the reply is the response."""

from lingshu_core.prompts import Prompt
from lingshu_core.records import Instruction
from lingshu_synth.asking import Wanted, ask
from lingshu_synth.call import Message
from lingshu_synth.generator import Draft, Generator, Item, Kind, Made, Rejected, Script
from lingshu_synth.settings import GeneratorSettings

_PROMPT = Prompt("bench", "${text}")


class OneCall(Generator[str]):
    """Asks what the record says and takes the reply as it is."""

    name = "one-call"
    reads = (Instruction,)

    def script(self, item: Item) -> Script[str]:
        """One call."""
        messages = (Message("user", (*item.shots, item.record.instruction)),)
        call = self.call("ask", _PROMPT, messages, example="word " * 240)
        got = yield from ask(Wanted(call, str))
        return got if isinstance(got, Rejected) else Made(got.value)

    def finish(self, item: Item, made: str) -> tuple[Draft, ...]:
        """The record with its new response."""
        return (Draft(item.record.replace(response=made)),)


GENERATOR = Kind(settings=GeneratorSettings, build=OneCall, summary="one call a record")
