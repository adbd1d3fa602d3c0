"""The interface of what answers: one file under `backends/` for each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from lingshu_core.messages import Message
from lingshu_core.records import RecordBase
from lingshu_core.registry import Registry
from medevalkit.pictures import Form, Loaded
from medevalkit.settings import RunSettings


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model."""

    key: bytes
    """Tells it from every other request of the run."""
    record: RecordBase
    """The item, gold included: only `oracle` may look at it."""
    messages: tuple[Message, ...]
    max_new_tokens: int
    replica: int = 0
    pictures: tuple[Loaded, ...] = ()
    """The pictures of the messages, in order, in the form that the backend asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    request: Request
    response: str
    finish_reason: str
    """`stop`, `length`, `refusal`, `content_filter` or `error`."""
    error: str | None = None
    """Why there is no answer, where `finish_reason` is `error`."""
    passing: bool = False
    """The error may be gone next time (an endpoint that was down): the item is asked again."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency: float | None = None
    """Seconds."""

    @classmethod
    def failed(cls, request: Request, error: str, *, passing: bool = False) -> "Answer":
        """Returns the answer of a request that got none."""
        return cls(request, "", "error", error, passing)


class Model(Protocol):
    """An opened model."""

    def answers(self, requests: Iterator[Request]) -> Iterator[Answer]:
        """Yields one answer for each request, in any order.

        Requests are drawn as there is room for them, so that what is in flight stays bounded; each
        answer is yielded as soon as it is there.
        """
        ...

    def close(self) -> None:
        """Ends processes and connections."""
        ...


@dataclass(frozen=True)
class Backend:
    """A kind of model."""

    describe: str
    open: Callable[[str, RunSettings], Model]
    """Opens the model of a name; SettingsError or DataError where there is none."""
    fingerprint: Callable[[str, RunSettings], str]
    """Returns what changes whenever the answers may: a digest of weights and settings, or a name.
    Nothing heavy is loaded for it."""
    pictures: Form = "none"
    """How it wants pictures: not at all, as JPEG or PNG files, or decoded."""
    by_item: bool = False
    """Its answers belong to items: two that are put in the same words do not share one."""


BACKENDS = Registry("medevalkit.backends", "medevalkit.backends", "BACKEND", Backend)


def named(name: str, settings: RunSettings) -> str:
    """Returns the name as the fingerprint, for models that are known by nothing else."""
    return name


def split_model(model: str) -> tuple[str, str]:
    """Returns backend and name of `BACKEND:NAME`; a plug-in may be `./file.py:BACKEND:NAME`."""
    head, _, rest = model.partition(":")
    if head.endswith(".py"):
        attribute, _, name = rest.partition(":")
        return f"{head}:{attribute}", name
    return head, rest
