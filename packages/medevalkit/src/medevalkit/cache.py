"""Answers and verdicts kept across runs, in SQLite, under the hash of everything they depend on."""

import errno
import os
import sqlite3
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from lingshu_core.database import PATIENCE, write_ahead
from lingshu_core.errors import DataError, SettingsError

VERSION = 1
_EVERY = 1.0
_ROWS = 500
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
"""How SQLite says that the disk is full."""


class Cache:
    """A table of texts by key; used as a context manager, by one thread.

    Several processes may share a file. What was put is on disk within a second.

    Args:
        path: The SQLite file; made where it is missing.

    Raises:
        DataError: The file is no such cache, or one of a newer medevalkit.
        SettingsError: It cannot be opened.
        OSError: The disk is full; so do `put`, `flush` and the end of the context.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting = 0
        self._written = time.monotonic()

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._base = sqlite3.connect(self._path, timeout=PATIENCE, isolation_level=None)
            write_ahead(self._base)
            self._base.execute("PRAGMA synchronous=NORMAL")
            (found,) = self._base.execute("PRAGMA user_version").fetchone()
            if found == 0:
                self._base.execute(
                    "CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value TEXT NOT NULL) "
                    "WITHOUT ROWID"
                )
                self._base.execute(f"PRAGMA user_version={VERSION}")
        except sqlite3.OperationalError as error:
            self._raise_if_full(error)
            raise SettingsError(f"{self._path}: cannot be opened ({error})") from None
        except sqlite3.DatabaseError as error:
            raise DataError(f"is no cache of medevalkit ({error})", path=self._path) from None
        if found > VERSION:
            raise DataError("was written by a newer medevalkit: upgrade it", path=self._path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.flush()
        finally:
            self._base.close()

    def get(self, key: bytes) -> str | None:
        """Returns what is kept under a key."""
        row = self._base.execute("SELECT value FROM kept WHERE key=?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: bytes, value: str) -> None:
        """Keeps a text under a key; the first one stays."""
        try:
            if not self._waiting:
                self._base.execute("BEGIN IMMEDIATE")
            self._base.execute("INSERT OR IGNORE INTO kept VALUES (?, ?)", (key, value))
        except sqlite3.OperationalError as error:
            self._raise_if_full(error)
            raise
        self._waiting += 1
        if self._waiting >= _ROWS or time.monotonic() - self._written > _EVERY:
            self.flush()

    def flush(self) -> None:
        """Puts on disk what was kept up to here."""
        # Where a write failed, SQLite has rolled back by itself.
        if self._waiting and self._base.in_transaction:
            try:
                self._base.execute("COMMIT")
            except sqlite3.OperationalError as error:
                self._raise_if_full(error)
                raise
        self._waiting = 0
        self._written = time.monotonic()

    def _raise_if_full(self, error: sqlite3.OperationalError) -> None:
        if error.sqlite_errorcode in _FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path)) from None
