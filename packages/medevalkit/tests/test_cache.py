import errno
import subprocess
import sys
from pathlib import Path

import pytest

from lingshu_core.errors import DataError
from medevalkit.cache import Cache


def test_what_was_put_is_there_later(tmp_path):
    path = tmp_path / "deep" / "cache.sqlite"
    with Cache(path) as cache:
        assert cache.get(b"a") is None
        cache.put(b"a", "one")
        cache.put(b"a", "two")
        assert cache.get(b"a") == "one"
    with Cache(path) as cache:
        assert cache.get(b"a") == "one"


def test_processes_that_open_at_once_share_a_file(tmp_path):
    path = tmp_path / "cache.sqlite"
    gate = tmp_path / "gate"
    code = (
        "import sys, time; from pathlib import Path; from medevalkit.cache import Cache\n"
        "while not Path(sys.argv[3]).exists(): pass\n"
        "with Cache(Path(sys.argv[1])) as cache:\n"
        "    for n in range(300): cache.put(f'{sys.argv[2]}{n}'.encode(), 'x')\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    children = [subprocess.Popen([*command, name, str(gate)]) for name in "abcd"]
    gate.touch()
    assert [child.wait() for child in children] == [0, 0, 0, 0]
    with Cache(path) as cache:
        assert all(cache.get(f"{name}{n}".encode()) == "x" for name in "abcd" for n in range(300))


@pytest.mark.parametrize("rows", [1, 3000])
def test_a_full_disk_is_said_so(tmp_path, rows):
    # A database that may not grow says what one on a full disk says.
    path = tmp_path / "cache.sqlite"
    with Cache(path) as cache:
        cache.put(b"first", "kept")
    with pytest.raises(OSError, match="space") as caught, Cache(path) as cache:
        (pages,) = cache._base.execute("PRAGMA page_count").fetchone()
        cache._base.execute(f"PRAGMA max_page_count={pages}")
        for n in range(rows):
            cache.put(f"{n}".encode(), "x" * 9000)
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(path)
    with Cache(path) as cache:
        assert cache.get(b"first") == "kept"


def test_a_file_that_is_none(tmp_path):
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"not a database at all, but long enough to look at" * 20)
    with pytest.raises(DataError, match="no cache"), Cache(path):
        pass


def test_a_newer_file_is_refused(tmp_path):
    import sqlite3

    path = Path(tmp_path / "cache.sqlite")
    base = sqlite3.connect(path)
    base.execute("PRAGMA user_version=9")
    base.close()
    with pytest.raises(DataError, match="newer"), Cache(path):
        pass
