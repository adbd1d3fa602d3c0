"""How an item is put to a model, and the key under which its answer is kept."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from lingshu_core.digest import canonical_json, record_id
from lingshu_core.errors import DataError
from lingshu_core.messages import Content, Message
from lingshu_core.records import RecordBase
from medevalkit.folder import RunState
from medevalkit.items import kind_of
from medevalkit.protocol import render
from medevalkit.settings import RunSettings


@dataclass(frozen=True, slots=True)
class Wanted:
    """One answer that a run wants: an item, and how it is put."""

    task: str
    record: RecordBase
    replica: int
    messages: tuple[Message, ...]
    fault: str
    """Why the item cannot be put; empty where it can."""
    prompt_sha256: str
    key: bytes
    """Of the request: the same for items that are put in the same way."""
    prediction: str
    """Id of the prediction that will hold the answer."""


class Asking:
    """Everything that decides an answer, fixed for a run.

    The key of a request covers the model's fingerprint, the messages as they are sent, pictures as
    the hashes of their files, the sampling settings and the protocol: change one of them and none
    of the old answers fits any more.
    """

    def __init__(self, settings: RunSettings, state: RunState) -> None:
        self.settings = settings
        self._by_item = state.by_item
        self._benchmarks = {task.name: task.card() for task in state.tasks}
        self._common = canonical_json(
            {
                "fingerprint": state.fingerprint,
                "protocol": settings.protocol,
                "sampling": settings.sampling.model_dump(exclude={"max_new_tokens_for"}),
                "max_pixels": settings.pictures.max_pixels,
            }
        )
        self.digest = hashlib.sha256(self._common).hexdigest()
        """Of all that the requests of a run have in common."""

    def wanted(self, task: str, record: RecordBase) -> Iterator[Wanted]:
        """Yields the answers that a run wants to one item."""
        try:
            messages, fault = self._messages(task, record), ""
        except DataError as error:
            messages, fault = (), error.message
        prompt = prompt_sha256(messages)
        longest = self.longest(record)
        for replica in range(self.settings.replicas):
            sha = hashlib.sha256(self._common)
            sha.update(f"{prompt}\0{longest}\0{replica}".encode())
            if self._by_item:
                sha.update(record.id.encode())
            key = sha.digest()[:16]
            prediction = record_id(task, record.id, key.hex())
            yield Wanted(task, record, replica, messages, fault, prompt, key, prediction)

    def longest(self, record: RecordBase) -> int:
        """Returns how many tokens the answer may have."""
        return self.settings.sampling.longest(kind_of(record))

    def _messages(self, task: str, record: RecordBase) -> tuple[Message, ...]:
        if self.settings.blind:
            record = record.replace(images=())
        messages = render(self.settings.protocol, record, self._benchmarks[task])
        if self.settings.system is None:
            return messages
        system = Message(role="system", content=(Content(text=self.settings.system),))
        return (system, *messages)


def prompt_sha256(messages: tuple[Message, ...]) -> str:
    """Returns the hash of messages as they are sent, pictures as the hashes of their files."""
    plain = [[message.role, *map(_piece, message.content)] for message in messages]
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False).encode()).hexdigest()


def _piece(content: Content) -> str | list[str | int | None]:
    if content.image is None:
        return content.text or ""
    return [content.image.sha256, content.image.frame]
