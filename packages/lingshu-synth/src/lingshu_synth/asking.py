"""How scripts ask: single calls or several at once, with one more ask where the form is wrong."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from lingshu_synth.call import Call, Message, Reply
from lingshu_synth.generator import Rejected

T = TypeVar("T")

AGAIN = ".again"

_FORM = "wrong_form"
_LONGEST = 300

_REASONS = {
    "refusal": "refusal",
    "length": "cut_off",
    "content_filter": "content_filter",
    "error": "unanswered",
}


@dataclass(frozen=True, slots=True)
class Wanted(Generic[T]):
    """A call, and how its reply is read."""

    call: Call
    read: Callable[[str], T]
    """Raises ValueError, with words for the model, where the text is not of the right form."""


@dataclass(frozen=True, slots=True)
class Got(Generic[T]):
    """What a reply said, and the call that brought it."""

    value: T
    call: Call
    reply: Reply


Asking = Generator[tuple[Call, ...], tuple[Reply, ...], T]


def ask(wanted: Wanted[T]) -> Asking[Got[T] | Rejected]:
    """Asks one thing; see `ask_all`."""
    (answer,) = yield from ask_all(wanted)
    return answer


def ask_all(*wanted: Wanted[Any]) -> Asking[tuple[Got[Any] | Rejected, ...]]:
    """Asks several things at once.

    A reply of the wrong form is shown to the model once with what is wrong with it, as a call of
    its own. Refusals, cut or filtered replies and errors are not asked again.

    Returns:
        For each what was read, or why nothing was.
    """
    replies = yield tuple(want.call for want in wanted)
    answers = [_read(want, reply) for want, reply in zip(wanted, replies, strict=True)]
    mending = [
        Wanted(_again(want.call, reply, answer.detail), want.read)
        for want, reply, answer in zip(wanted, replies, answers, strict=True)
        if isinstance(answer, Rejected) and answer.reason == _FORM
    ]
    if mending:
        replies = yield tuple(want.call for want in mending)
        mended = iter([_read(want, reply) for want, reply in zip(mending, replies, strict=True)])
        answers = [
            next(mended) if isinstance(answer, Rejected) and answer.reason == _FORM else answer
            for answer in answers
        ]
    return tuple(answers)


def _read(want: Wanted[T], reply: Reply) -> Got[T] | Rejected:
    if reply.finish != "stop":
        said = f"{want.call.stage}: {reply.error or reply.text}"
        return Rejected(_REASONS[reply.finish], said[:_LONGEST])
    try:
        return Got(want.read(reply.text), want.call, reply)
    except ValueError as error:
        return Rejected(_FORM, str(error)[:_LONGEST])


def _again(call: Call, reply: Reply, fault: str) -> Call:
    told = (
        f"This is not the form that was asked for: {fault}. "
        "Give the whole answer once more, in that form and with nothing around it."
    )
    messages = (
        *call.messages,
        Message("assistant", (reply.text or "(nothing)",)),
        Message("user", (told,)),
    )
    return replace(call, stage=call.stage + AGAIN, messages=messages)
