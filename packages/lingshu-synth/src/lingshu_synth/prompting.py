"""Prompts filled in: a fixed part first, then what belongs to one record, fenced as data.

A prompt file has two parts, divided by a line `---`: the first is sent as the system's message and
is the same for every record (endpoints charge less for a beginning that they have seen), the
second holds the places for the record's texts. A file without that line is the user's message.
"""

import hashlib
from functools import cache
from pathlib import Path

from lingshu_core.prompts import Prompt, load_prompt
from lingshu_synth.call import Message, Shot

PACKAGE = "lingshu_synth"
_LINE = "\n---\n"


@cache
def prompt(name: str, folder: str | None) -> Prompt:
    """Returns a prompt: the user's own if their folder has it, else the package's."""
    return load_prompt(PACKAGE, name, folder=Path(folder) if folder else None)


def compose(
    source: Prompt,
    shots: tuple[Shot, ...],
    data: dict[str, str],
    own: dict[str, str] | None = None,
) -> tuple[Message, ...]:
    """Returns the messages of a call.

    Args:
        source: The prompt.
        shots: Pictures that go before the user's text.
        data: Texts of the record; they are fenced, so that nothing in them reads as an instruction.
        own: Texts of ours, which go in as they are.
    """
    fields = {name: fenced(text) for name, text in data.items()} | (own or {})
    unknown = source.fields - fields.keys()
    if unknown:
        raise KeyError(f"prompt {source.name!r}: nothing is given for {sorted(unknown)}")
    head, line, tail = source.text.partition(_LINE)
    if not line:
        head, tail = "", source.text
    user = Message("user", (*shots, _filled(source.name, tail, fields)))
    if not head:
        return (user,)
    return (Message("system", (_filled(source.name, head, fields),)), user)


def fenced(text: str) -> str:
    """Returns a text between marks that hold a hash of it, so that it cannot close them itself."""
    mark = hashlib.sha256(text.encode()).hexdigest()[:10]
    return f"<data {mark}>\n{text}\n</data {mark}>"


def _filled(name: str, template: str, fields: dict[str, str]) -> str:
    part = Prompt(name, template)
    return part.render(**{field: fields[field] for field in part.fields})
