"""The one thread that writes a journal, committing in groups."""

import asyncio
import contextlib
import queue
import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu_core.errors import DataError, Stopped


@dataclass(frozen=True, slots=True)
class Write:
    """One statement and its values."""

    statement: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Waiter:
    """Somebody who waits until all that was queued before is on the disk."""

    done: "asyncio.Future[None] | Future[None]"
    loop: asyncio.AbstractEventLoop | None


class Writer:
    """Runs in a thread of its own and is the only one that writes."""

    def __init__(self, path: Path, todo: "queue.SimpleQueue[Write | Waiter | None]") -> None:
        self._path = path
        self._todo = todo
        self._fault: Stopped | None = None

    def run(self) -> None:
        """Writes until the end is put into the queue."""
        with closing(connect(self._path)) as database:
            going = True
            while going:
                batch, going = self._gather()
                self._commit(database, [item for item in batch if isinstance(item, Write)])
                self._tell([item for item in batch if isinstance(item, Waiter)])

    def _gather(self) -> tuple[list[Write | Waiter], bool]:
        """Returns what has come since the last commit, and whether more may come."""
        batch: list[Write | Waiter] = []
        item = self._todo.get()
        while item is not None:
            batch.append(item)
            try:
                item = self._todo.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _commit(self, database: sqlite3.Connection, writes: list[Write]) -> None:
        if not writes or self._fault is not None:
            return
        try:
            database.execute("BEGIN IMMEDIATE")
            for write in writes:
                database.execute(write.statement, write.values)
            database.execute("COMMIT")
        except sqlite3.Error as error:
            # From here on nothing is promised any more: who waits is told, and the run stops.
            self._fault = Stopped(
                f"{self._path}: the journal cannot be written ({error}); mend that and give the "
                "same command"
            )

    def _tell(self, waiters: list[Waiter]) -> None:
        loops = {waiter.loop for waiter in waiters}
        for loop in loops:
            told = [waiter.done for waiter in waiters if waiter.loop is loop]
            if loop is None:
                _resolve(told, self._fault)
            else:
                with contextlib.suppress(RuntimeError):  # the loop may have been closed
                    loop.call_soon_threadsafe(_resolve, told, self._fault)


def _resolve(told: "Sequence[asyncio.Future[None] | Future[None]]", fault: Stopped | None) -> None:
    for done in told:
        if done.done():
            continue
        if fault is None:
            done.set_result(None)
        else:
            done.set_exception(fault)


def connect(path: Path) -> sqlite3.Connection:
    """Opens a journal's file; DataError where it is none."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        # A power cut loses no paid reply either; grouped, the commits are fast enough.
        database.execute("PRAGMA synchronous = FULL")
    except sqlite3.DatabaseError as error:
        database.close()
        raise DataError(f"is no journal ({error})", path=path) from None
    return database
