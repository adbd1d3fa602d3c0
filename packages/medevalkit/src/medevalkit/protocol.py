"""Protocols: the words in which an item is put."""

from lingshu_core.messages import Message, ask
from lingshu_core.records import RecordBase
from medevalkit.settings import Protocol


def render(protocol: Protocol, record: RecordBase) -> tuple[Message, ...]:
    """Returns the messages of an item; DataError where it cannot be asked."""
    return ask(record, "think" if protocol == "think" else "direct")
