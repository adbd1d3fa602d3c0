import sqlite3
import subprocess
import sys
import time

import pytest

from lingshu_core import database

OPEN = """
import sqlite3, sys, time
from lingshu_core.database import PATIENCE, write_ahead
while time.time() < float(sys.argv[2]): pass
base = sqlite3.connect(sys.argv[1], timeout=PATIENCE)
write_ahead(base)
with base:
    base.execute("CREATE TABLE IF NOT EXISTS kept (key)")
    base.execute("INSERT INTO kept VALUES (1)")
"""


def test_processes_that_open_at_once(tmp_path):
    for turn in range(3):
        path = tmp_path / f"{turn}.sqlite"
        at = str(time.time() + 0.5)
        children = [subprocess.Popen([sys.executable, "-c", OPEN, path, at]) for _ in range(4)]
        assert [child.wait() for child in children] == [0] * 4
        base = sqlite3.connect(path)
        assert base.execute("SELECT COUNT(*) FROM kept").fetchone() == (4,)
        base.close()


def test_a_file_that_stays_locked(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 0.1)
    path = tmp_path / "kept.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    base = sqlite3.connect(path, timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        database.write_ahead(base)
    base.close()
    other.close()
