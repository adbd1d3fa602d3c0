"""The journal: every call by what it asks, every attempt, every raw reply, in one SQLite file.

A call is known by the SHA-256 of its canonical request. That an attempt will be made is committed
before it is sent, and its raw reply before anybody reads it; so a kill at any moment loses no
reply, and the attempts that were under way are known by name. One thread writes whatever has
gathered since its last commit, and tells those who wait only when it is on the disk.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import queue
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from lingshu_core.errors import DataError, SettingsError
from lingshu_synth.call import Request
from lingshu_synth.generator import PACKAGE
from lingshu_synth.journal_writer import Waiter, Write, Writer, connect

FORMAT = 1
NAME = "journal.sqlite"
_FAR = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "lustre", "beegfs", "ceph"}
_PACKING = (1, zlib.DEFLATED, 13, 5)
"""A small window: for texts of some kilobytes its set-up costs more than the compression."""

State = Literal["sent", "answered", "refused", "failed", "lost"]
"""Of an attempt: under way; with a reply that counts (an error that will not change is one);
turned away for pace, not paid; broken on the way; under way when its process ended."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS call (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, body BLOB NOT NULL, stage TEXT NOT NULL,
  replies INTEGER NOT NULL DEFAULT 0, reply INTEGER
);
CREATE TABLE IF NOT EXISTS attempt (
  id INTEGER PRIMARY KEY, call INTEGER NOT NULL, state TEXT NOT NULL, endpoint TEXT NOT NULL,
  sent REAL NOT NULL, done REAL, status INTEGER, raw BLOB, prompt_tokens INTEGER,
  completion_tokens INTEGER, usd REAL, most_usd REAL, chunk INTEGER
);
CREATE TABLE IF NOT EXISTS chunk (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL, remote TEXT
);
CREATE INDEX IF NOT EXISTS under_way ON attempt (call) WHERE state = 'sent';
CREATE INDEX IF NOT EXISTS in_chunk ON attempt (chunk) WHERE chunk IS NOT NULL;
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """The reply that counts for a call, as it came."""

    status: int
    """HTTP status; 0 where no attempt got any."""
    raw: bytes
    endpoint: str
    """Kind of the endpoint that answered."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal knows of a call."""

    id: int
    replies: int
    """How many replies were settled for it; more than one where it was asked again on purpose."""
    stored: Stored | None


@dataclass(frozen=True, slots=True)
class Ticket:
    """The numbers of a call and of one attempt at it."""

    call: int
    attempt: int


@dataclass(frozen=True, slots=True)
class End:
    """How an attempt ended."""

    state: State
    """With `answered`, its reply is the call's from now on."""
    status: int = 0
    """HTTP status, where there was one."""
    raw: bytes = b""
    """The body of the answer, as it came."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An attempt of which nobody knows yet how it ended."""

    ticket: Ticket
    key: str
    sent: float
    """Seconds since 1970."""
    most_usd: float | None
    """What it may have cost."""


class JournalReader:
    """What a journal holds, for reading alone; another process may write it meanwhile.

    Args:
        path: The file.

    Raises:
        DataError: It is no journal.
        SettingsError: Its format is newer.
    """

    def __init__(self, path: Path) -> None:
        self._reader = connect(path)
        _check(self._reader, path)

    def close(self) -> None:
        """Closes the file."""
        self._reader.close()

    def find(self, key: str) -> Known | None:
        """Returns what is known of a call, or None where it was never asked."""
        row = self._reader.execute(_FIND, (bytes.fromhex(key),)).fetchone()
        if row is None:
            return None
        number, replies, status, raw, endpoint = row
        stored = None if raw is None else Stored(status or 0, zlib.decompress(raw), endpoint)
        return Known(number, replies, stored)

    def body(self, call: int) -> dict[str, Any]:
        """Returns the canonical request of a call, by the call's number."""
        ((packed,),) = self.rows("SELECT body FROM call WHERE id = ?", call)
        found: dict[str, Any] = json.loads(zlib.decompress(packed))
        return found

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Returns the rows that a query finds among what is committed."""
        return self._reader.execute(statement, values).fetchall()


class Journal(JournalReader):
    """One journal, for one process at a time; used as a context manager.

    Args:
        folder: Where it lies, or will lie; on a disk of this machine.

    Raises:
        SettingsError: Another process has it, the file system is not local, or its format is
            newer.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._queue: queue.SimpleQueue[Write | Waiter | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        _refuse_far(self.folder)
        with ExitStack() as stack:
            stack.enter_context(_lock(self.folder / "lock"))
            path = self.folder / NAME
            _prepare(path)
            super().__init__(path)
            stack.callback(self.close)
            self._next_call = self._highest("call") + 1
            self._next_attempt = self._highest("attempt") + 1
            writer = Writer(path, self._queue)
            thread = threading.Thread(target=writer.run, name="journal")
            thread.start()
            stack.callback(thread.join)
            stack.callback(self._queue.put, None)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def begin(
        self,
        known: Known | None,
        request: Request,
        endpoint: str,
        *,
        most_usd: float | None = None,
        chunk: int | None = None,
    ) -> Ticket:
        """Writes down that a call is about to be made; it counts once `committed` says so.

        Args:
            known: What `find` said of it.
            request: What is asked.
            endpoint: Kind of the endpoint it goes to.
            most_usd: What it can cost at most, where that is known.
            chunk: The batch it goes with.
        """
        number = known.id if known else self._next_call
        if known is None:
            self._next_call += 1
            packed = _packed(request.body)
            key = bytes.fromhex(request.key)
            self.execute(_NEW_CALL, number, key, packed, request.call.stage)
        attempt = self._next_attempt
        self._next_attempt += 1
        self.execute(_NEW_ATTEMPT, attempt, number, endpoint, time.time(), most_usd, chunk)
        return Ticket(number, attempt)

    def settle(self, ticket: Ticket, end: End) -> None:
        """Writes down how an attempt ended."""
        answered = end.state == "answered"
        packed = _packed(end.raw) if end.raw or answered else None
        row = (end.state, time.time(), end.status, packed, end.prompt_tokens)
        self.execute(_END_ATTEMPT, *row, end.completion_tokens, end.usd, ticket.attempt)
        if answered:
            self.execute(_NEW_REPLY, ticket.attempt, ticket.call)

    def execute(self, statement: str, *values: Any) -> None:
        """Writes anything else; it is on the disk once `committed` or `flush` says so."""
        self._queue.put(Write(statement, values))

    async def committed(self) -> None:
        """Waits until all that was written so far is on the disk.

        Raises:
            Stopped: The disk is full or broken.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._queue.put(Waiter(done, loop))
        await done

    def flush(self) -> None:
        """Waits as `committed` does, without an event loop."""
        done: Future[None] = Future()
        self._queue.put(Waiter(done, None))
        done.result()

    def _highest(self, table: str) -> int:
        (found,) = self._reader.execute(f"SELECT max(id) FROM {table}").fetchone()
        return found or 0

    def under_way(self) -> list[UnderWay]:
        """Returns the attempts outside of batches whose end is unknown, the oldest first."""
        return [
            UnderWay(Ticket(call, attempt), key.hex(), sent, usd)
            for attempt, call, key, sent, usd in self.rows(_UNDER_WAY)
        ]


def _packed(data: bytes) -> bytes:
    packer = zlib.compressobj(*_PACKING)
    return packer.compress(data) + packer.flush()


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SettingsError(
                f"{path.parent}: another run uses this journal; wait for it, or give --journal"
            ) from None
        yield
    finally:
        os.close(handle)


def _prepare(path: Path) -> None:
    """Makes the tables where they are missing."""
    with closing(connect(path)) as database:
        if _check(database, path) == 0:
            database.executescript(_SCHEMA)
            database.execute(f"PRAGMA user_version = {FORMAT}")


def _check(database: sqlite3.Connection, path: Path) -> int:
    try:
        (found,) = database.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise DataError(f"is no journal ({error})", path=path) from None
    if found > FORMAT:
        raise SettingsError(
            f"{path}: the journal is of format {found}, and this {PACKAGE} writes {FORMAT}: "
            "upgrade it"
        )
    return int(found)


def _refuse_far(folder: Path) -> None:
    """Refuses a folder on a file system on which SQLite's write-ahead log is not safe."""
    mounts = Path("/proc/self/mounts")
    if not mounts.is_file():
        return
    place, kind = Path("/"), ""
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        _, point, name, *_ = line.split(" ")
        mount = Path(point.replace("\\040", " "))
        if folder.resolve().is_relative_to(mount) and len(mount.parts) >= len(place.parts):
            place, kind = mount, name
    if kind in _FAR:
        raise SettingsError(f"{folder} is on {kind}: a journal needs a disk of this machine")


_FIND = """
SELECT call.id, call.replies, attempt.status, attempt.raw, attempt.endpoint
FROM call LEFT JOIN attempt ON attempt.id = call.reply WHERE call.key = ?
"""
_NEW_CALL = "INSERT INTO call (id, key, body, stage) VALUES (?, ?, ?, ?)"
_NEW_ATTEMPT = """
INSERT INTO attempt (id, call, state, endpoint, sent, most_usd, chunk)
VALUES (?, ?, 'sent', ?, ?, ?, ?)
"""
_END_ATTEMPT = """
UPDATE attempt SET state = ?, done = ?, status = ?, raw = ?, prompt_tokens = ?,
  completion_tokens = ?, usd = ? WHERE id = ?
"""
_NEW_REPLY = "UPDATE call SET reply = ?, replies = replies + 1 WHERE id = ?"
_UNDER_WAY = """
SELECT attempt.id, call.id, call.key, attempt.sent, attempt.most_usd
FROM attempt JOIN call ON call.id = attempt.call
WHERE attempt.state = 'sent' AND attempt.chunk IS NULL ORDER BY attempt.id
"""
