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
from functools import cached_property
from importlib.metadata import version
from typing import Any, Generic, Literal, TypeVar

from lingshu_core.digest import canonical_json
from lingshu_core.records import Box, FileRef, Image, Operation, Record, RecordBase
from lingshu_core.registry import Registry
from lingshu_synth.settings import OFFLINE, GeneratorSettings, ModelSettings, PicturePolicy

PACKAGE = "lingshu-synth"

Finish = Literal["stop", "length", "refusal", "content_filter", "error"]


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture described, not yet drawn: a picture file or a slice of a volume, with overlays."""

    file: FileRef
    width: int
    """In pixels, as drawn."""
    height: int
    slice: int | None = None
    """Of a volume: from 0 at the feet upwards."""
    window: tuple[float, float] | None = None
    """Of a volume: the values shown black and white."""
    boxes: tuple[Box, ...] = ()
    """Drawn on it; in its own pixels."""

    def describe(self) -> dict[str, Any]:
        """Returns what tells this picture from every other, as JSON."""
        found: dict[str, Any] = {"sha256": self.file.sha256}
        if self.slice is not None:
            found |= {"slice": self.slice, "window": self.window}
            found |= {"width": self.width, "height": self.height}
        if self.boxes:
            found["boxes"] = [[b.x, b.y, b.width, b.height, b.label] for b in self.boxes]
        return found


@dataclass(frozen=True)
class Item:
    """A record as a script sees it: its pictures as two-dimensional views, its regions as boxes."""

    record: Record
    shots: tuple[Shot, ...] = ()
    """Without overlays."""
    boxes: tuple[Box, ...] = ()
    """Regions in the pixels of the first shot, the largest first."""
    view: str = ""
    """Which slice it is and how it was chosen; empty where the picture is the publisher's own."""

    @property
    def id(self) -> str:
        """What tells this view from all others."""
        return f"{self.record.id}#{self.view}" if self.view else self.record.id

    @property
    def drawn(self) -> bool:
        """Whether the pictures have to be drawn, since no file of the input shows them."""
        return any(shot.slice is not None for shot in self.shots)


@dataclass(frozen=True, slots=True)
class Message:
    """What one side says: texts and pictures in order."""

    role: Literal["system", "user", "assistant"]
    pieces: tuple[str | Shot, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a model, without any address."""

    stage: str
    """Its place in the script: `factual`, `summary`."""
    prompt: str
    prompt_sha256: str
    messages: tuple[Message, ...]
    model: ModelSettings
    pictures: PicturePolicy
    schema: dict[str, Any] | None = None
    """JSON Schema that the reply has to fit, where it has to be JSON."""
    replica: int = 0
    """Tells apart calls that are meant to be sampled more than once."""
    example: str = ""
    """A reply of the usual form and length, with which a dry run goes on."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, read out of the raw bytes that the journal keeps."""

    key: str
    """Of the call that it answers."""
    text: str
    finish: Finish
    error: str = ""
    """Why there is no answer, where `finish` is `error`."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    endpoint: str = "openai"
    """Kind of the endpoint that answered."""


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
            version=version(PACKAGE),
            operation=f"{self.name}.{what}" if what else self.name,
            settings=self._settings_digest,
            model=call.model.name if call else OFFLINE,
            endpoint=reply.endpoint if reply else "offline",
            prompt=call.prompt if call else None,
            prompt_sha256=call.prompt_sha256 if call else None,
            inputs=(*inputs, *keys),
        )


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


def pictures_of(record: RecordBase) -> tuple[Shot, ...]:
    """Returns the pictures of a record as they are."""
    return tuple(_shot(image) for image in record.images)


def _shot(image: Image) -> Shot:
    return Shot(image, image.width, image.height)


def body_of(call: Call) -> dict[str, Any]:
    """Returns the canonical request: everything that decides the answer, and nothing else."""
    body: dict[str, Any] = {
        "messages": [
            {"role": message.role, "content": [_piece(piece, call) for piece in message.pieces]}
            for message in call.messages
        ],
        "model": call.model.model_dump(mode="json"),
        "replica": call.replica,
    }
    if call.schema is not None:
        body["schema"] = call.schema
    return body


def _piece(piece: str | Shot, call: Call) -> Any:
    if isinstance(piece, str):
        return piece
    return {"picture": piece.describe(), "policy": call.pictures.model_dump(mode="json")}


def canonical(call: Call) -> bytes:
    """Returns the canonical request as bytes; its SHA-256 is the key of the call."""
    return canonical_json(body_of(call))
