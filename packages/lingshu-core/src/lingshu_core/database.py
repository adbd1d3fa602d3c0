"""SQLite files that several processes open at once."""

import sqlite3
import time

PATIENCE = 60.0
"""Seconds that a process waits for another one's lock."""


def write_ahead(database: sqlite3.Connection) -> None:
    """Lets readers and one writer use a file at once, however many processes open it.

    Raises:
        sqlite3.OperationalError: The file cannot be written, or stayed locked too long.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            # SQLite's own time-out does not cover two processes that change the mode at once.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
