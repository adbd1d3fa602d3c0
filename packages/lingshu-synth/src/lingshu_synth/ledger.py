"""The ledger of batches: which calls lie in which file, and how far each file is.

A chunk is `gathering` while its file is written, `planned` once file and membership are on the
disk, `submitted` once it is known what it is called at the endpoint, and `settled` in the end.
"""

import json
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from lingshu_synth.batch_place import BatchPlace
from lingshu_synth.call import Request
from lingshu_synth.journal import End, Journal, Known, Ticket

_FOLDER = "chunks"
_ADDRESS = "/v1/chat/completions"


@dataclass
class Chunk:
    """One file of requests."""

    id: int
    name: str
    path: Path
    remote: str = ""
    """What it is called at the endpoint; empty: not handed in."""


@dataclass(frozen=True, slots=True)
class Member:
    """One call of a chunk."""

    ticket: Ticket
    most_usd: float | None
    """What it can cost at most, where that is known."""


@dataclass
class OpenChunk:
    """A chunk whose file is being written."""

    chunk: Chunk
    file: BinaryIO
    count: int = 0
    size: int = field(default=0)
    """Bytes."""


class Ledger:
    """Keeps the chunks of a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._folder = journal.folder / _FOLDER

    def left_over(self, place: BatchPlace) -> list[Chunk]:
        """Returns the chunks of earlier runs whose requests are, or will be, worked off.

        A file that was not finished, or is gone, is dissolved: its calls are open again. One that
        was handed in without anybody knowing how it is called is found by its name.
        """
        found = []
        planned = []
        for number, name, state, remote in self._journal.rows(_OPEN):
            chunk = Chunk(number, name, self._path(name), remote or "")
            if state == "submitted":
                found.append(chunk)
            elif state == "planned":
                planned.append(chunk)
            else:
                self.dissolve(chunk)
        adopted = place.adopt(chunk.name for chunk in planned)
        for chunk in planned:
            if chunk.name in adopted:
                self.submitted(chunk, adopted[chunk.name])
            elif not chunk.path.is_file():
                self.dissolve(chunk)
                continue
            found.append(chunk)
        return found

    def begin(self) -> OpenChunk:
        """Returns a new chunk to be filled."""
        name = f"lingshu-{uuid.uuid4().hex}"
        self._folder.mkdir(exist_ok=True)
        self._journal.execute(_NEW, name)
        self._journal.flush()
        ((number,),) = self._journal.rows("SELECT id FROM chunk WHERE name = ?", name)
        path = self._path(name)
        return OpenChunk(Chunk(number, name, path), path.open("wb"))

    def add(
        self,
        to: OpenChunk,
        known: Known | None,
        request: Request,
        body: dict[str, Any],
        way: tuple[str, float | None],
    ) -> None:
        """Puts a request into a chunk.

        Args:
            to: The chunk.
            known: What the journal knows of the call.
            request: What is asked.
            body: As the endpoint takes it.
            way: Kind of the endpoint, and what the call can cost at most.
        """
        line = {"custom_id": request.key, "method": "POST", "url": _ADDRESS, "body": body}
        data = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        to.file.write(data)
        to.count += 1
        to.size += len(data)
        kind, most_usd = way
        self._journal.begin(known, request, kind, most_usd=most_usd, chunk=to.chunk.id)

    def close(self, full: OpenChunk) -> Chunk:
        """Makes a chunk ready to be handed in: file and membership are on the disk."""
        full.file.flush()
        os.fsync(full.file.fileno())
        full.file.close()
        self._mark(full.chunk, "planned")
        return full.chunk

    def submitted(self, chunk: Chunk, remote: str) -> None:
        """Notes what a chunk is called at the endpoint."""
        chunk.remote = remote
        self._mark(chunk, "submitted")

    def members(self, chunk: Chunk) -> dict[str, Member]:
        """Returns the calls of a chunk that are not settled, by their keys."""
        rows = self._journal.rows(_MEMBERS, chunk.id)
        return {key.hex(): Member(Ticket(call, number), usd) for key, call, number, usd in rows}

    def broken(self, member: Member) -> int:
        """Returns how often the server failed at a call, of what is committed."""
        ((count,),) = self._journal.rows(_BROKEN, member.ticket.call)
        return int(count)

    def settled(self, chunk: Chunk, undone: Iterable[Member]) -> None:
        """Closes a chunk; calls of which nothing came are open again."""
        for member in undone:
            self._journal.settle(member.ticket, End("failed", raw=b"not worked off"))
        self._mark(chunk, "settled")
        chunk.path.unlink(missing_ok=True)

    def dissolve(self, chunk: Chunk) -> None:
        """Opens all calls of a chunk that never left the machine, or was turned away whole."""
        self.settled(chunk, self.members(chunk).values())

    def _mark(self, chunk: Chunk, state: str) -> None:
        self._journal.execute(_MARK, state, chunk.remote or None, chunk.id)
        self._journal.flush()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.jsonl"


_OPEN = "SELECT id, name, state, remote FROM chunk WHERE state != 'settled' ORDER BY id"
_NEW = "INSERT INTO chunk (name, state) VALUES (?, 'gathering')"
_MARK = "UPDATE chunk SET state = ?, remote = ? WHERE id = ?"
_BROKEN = "SELECT count(*) FROM attempt WHERE call = ? AND state = 'failed' AND status > 0"
_MEMBERS = """
SELECT call.key, call.id, attempt.id, attempt.most_usd
FROM attempt JOIN call ON call.id = attempt.call
WHERE attempt.chunk = ? AND attempt.state = 'sent'
"""
