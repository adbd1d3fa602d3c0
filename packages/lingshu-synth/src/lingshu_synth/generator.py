"""What a generator is: a pure script of calls and replies for one record.

A script asks by yielding calls and goes on when it is sent their replies, in the same order; what
it returns is the outcome. It reads no file, no clock and no network, so that the same script runs
online, as a batch, dry and from the journal alone, and a mended parser costs nothing:

    def script(self, item):
        (reply,) = yield (self._question(item),)
        return Made(parse(reply.text)) if reply.text else Rejected("empty", "")
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Generator as Coroutine
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from lingshu_core.prompts import Prompt
from lingshu_core.records import Box, Operation, Record, RecordBase
from lingshu_core.registry import Registry
from lingshu_synth.call import Call, Message, Reply, Shot, shots_of
from lingshu_synth.settings import OFFLINE, GeneratorSettings, PageStyle
from lingshu_synth.structured import schema_of

PACKAGE = "lingshu-synth"


@dataclass(frozen=True)
class Item:
    """A record as a script sees it: its pictures as two-dimensional views, its regions as boxes."""

    record: Record
    shots: tuple[Shot, ...] = ()
    """Without overlays."""
    boxes: tuple[Box, ...] = ()
    """Regions in the pixels of the first shot, the largest first."""
    view: str = ""
    """Which slice it is, `z12`; empty where the picture is the publisher's own."""
    why: str = ""
    """How the slice was chosen."""

    @property
    def id(self) -> str:
        """What tells this view from all others."""
        return f"{self.record.id}#{self.view}" if self.view else self.record.id

    @property
    def drawn(self) -> bool:
        """Whether the pictures have to be drawn, since no file of the input shows them."""
        return any(shot.slice is not None for shot in self.shots)


@dataclass(frozen=True)
class Draft:
    """A record to be written, and what has to be drawn for it."""

    record: RecordBase
    drawings: tuple["Drawing", ...] = ()
    """Pictures that take the place of the record's own, in order."""
    boxes: tuple[Box, ...] = ()
    """What the page of examples shows around."""


@dataclass(frozen=True, slots=True)
class Page:
    """An exam question that is rendered as a picture."""

    text: str
    options: tuple[str, ...]
    language: str
    seed: str
    """What its look is drawn from."""
    style: PageStyle


Drawing = Shot | Page

M = TypeVar("M")


@dataclass(frozen=True)
class Made(Generic[M]):
    """What a script made."""

    value: M


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why nothing was made of a record; it is set aside with these words."""

    reason: str
    """A slug: `refusal`, `inconsistent`."""
    detail: str = ""


Outcome = Made[M] | Rejected
Script = Coroutine[tuple[Call, ...], tuple[Reply, ...], Outcome[M]]


Answer = Callable[[tuple[Call, ...]], tuple[Reply, ...] | None]
"""Answers calls in their order, or says None where not all replies are there."""

NO_REPLIES: Mapping[str, Reply] = {}


class Generator(ABC, Generic[M]):
    """One kind of synthesis. `script` is all that most of them have to say."""

    name: str
    reads: tuple[type[RecordBase], ...]
    """Types of record it works on; others are passed over and counted."""

    def __init__(self, settings: GeneratorSettings) -> None:
        self.settings = settings

    def wants(self, record: Record) -> bool:
        """Says whether a record of the right type is worked on at all."""
        return True

    def survey(self, items: Callable[[], Iterator[Item]]) -> None:
        """Looks at the whole input before the first script, where that is needed.

        Args:
            items: Reads the input from the beginning, as often as it is called.
        """

    @abstractmethod
    def script(self, item: Item) -> Script[M]:
        """Yields calls, is sent their replies, and returns the outcome."""

    @abstractmethod
    def finish(self, item: Item, made: M) -> tuple[Draft, ...]:
        """Turns what a script made into records; called once an item, in the order of the input.

        What has to be balanced over the whole output (letters of options, yes and no) is settled
        here.
        """

    def requests(self, item: Item, replies: Mapping[str, Reply] = NO_REPLIES) -> tuple[Call, ...]:
        """Returns the calls an item waits for, given the replies so far by stage; () if none."""
        waiting: list[Call] = []
        self.play(item, lambda calls: _known(calls, replies, waiting))
        return tuple(waiting)

    def reduce(self, item: Item, replies: Mapping[str, Reply] = NO_REPLIES) -> Outcome[M] | None:
        """Returns the outcome for an item, or None where replies are still missing."""
        return self.play(item, lambda calls: _known(calls, replies, []))

    def play(self, item: Item, answer: Answer) -> Outcome[M] | None:
        """Runs the script of one item to its end, or to where `answer` returns None."""
        script = self.script(item)
        try:
            calls = next(script)
            while True:
                replies = answer(calls)
                if replies is None:
                    return None
                calls = script.send(replies)
        except StopIteration as end:
            outcome: Outcome[M] = end.value
            return outcome

    @cached_property
    def _settings_digest(self) -> str:
        return self.settings.identity()

    def call(
        self,
        stage: str,
        source: Prompt,
        messages: tuple[Message, ...],
        *,
        example: str,
        schema: type[BaseModel] | None = None,
    ) -> Call:
        """Returns a call with this generator's model and policy.

        Args:
            stage: Its place in the script; no two of one script share it.
            source: The prompt.
            messages: The prompt filled in.
            example: A reply of the usual form and length.
            schema: The form of the reply, where it has to be JSON.
        """
        return Call(
            stage=stage,
            prompt=source.name,
            prompt_sha256=source.sha256,
            messages=messages,
            model=self.settings.model,
            pictures=self.settings.pictures,
            schema=None if schema is None else schema_of(schema),
            example=example,
        )

    def operation(
        self, what: str, call: Call | None, reply: Reply | None, *inputs: str
    ) -> Operation:
        """Returns the line of provenance for one stage.

        Args:
            what: The stage; the generator's name goes before it.
            call: Which model was asked with which prompt; None where a template wrote.
            reply: What it answered; its key stands among the inputs.
            inputs: Ids of the records it was made from.
        """
        keys = () if reply is None else (reply.key,)
        return Operation(
            package=PACKAGE,
            version=package_version(),
            operation=f"{self.name}.{what}" if what else self.name,
            settings=self._settings_digest,
            model=call.model.name if call else OFFLINE,
            endpoint=reply.endpoint if reply else "offline",
            prompt=call.prompt if call else None,
            prompt_sha256=call.prompt_sha256 if call else None,
            inputs=(*inputs, *keys),
        )

    def sent(self, call: Call) -> tuple[Operation, ...]:
        """Returns the line of provenance for the pictures of a call, or none where it has none.

        It says how they were scaled and encoded, in words and as a digest.
        """
        if not shots_of(call):
            return ()
        policy = call.pictures
        made = Operation(
            package=PACKAGE,
            version=package_version(),
            operation=f"{self.name}.pictures",
            settings=policy.digest(),
            inputs=(policy.told(),),
        )
        return (made,)


@cache
def package_version() -> str:
    """Returns the version of this package, as provenance names it."""
    return version(PACKAGE)


@dataclass(frozen=True)
class Kind:
    """A generator as the command line knows it; what a module of `generators` holds."""

    settings: type[GeneratorSettings]
    build: Callable[[Any], Generator[Any]]
    summary: str
    example: str = ""
    offline: bool = True
    """Whether it can work without a model."""


GENERATORS = Registry(
    folder="lingshu_synth.generators",
    group="lingshu_synth.generators",
    attribute="GENERATOR",
    kind=Kind,
)


def _known(
    calls: tuple[Call, ...], replies: Mapping[str, Reply], waiting: list[Call]
) -> tuple[Reply, ...] | None:
    waiting += [call for call in calls if call.stage not in replies]
    return None if waiting else tuple(replies[call.stage] for call in calls)
