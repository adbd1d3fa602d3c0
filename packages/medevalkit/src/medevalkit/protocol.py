"""Protocols: the words in which an item is put."""

from lingshu_core.messages import Message, ask
from lingshu_core.records import RecordBase
from medevalkit.benchmark import Benchmark
from medevalkit.settings import Protocol


def render(
    protocol: Protocol, record: RecordBase, benchmark: Benchmark | None
) -> tuple[Message, ...]:
    """Returns the messages of an item; DataError where it cannot be asked."""
    if protocol in {"direct", "think"}:
        return ask(record, "think" if protocol == "think" else "direct")
    from medevalkit.official.prompts import render as official

    return official(record, benchmark, think=protocol == "official-think")
