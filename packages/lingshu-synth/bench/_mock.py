"""The mock endpoint of the tests, started for a bench, and clients against it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SERVER = HERE.parent / "tests" / "servers" / "mock_endpoint.py"
RESULTS = HERE / "results"


class Mock:
    """A mock endpoint in a process of its own."""

    def __init__(self, *words: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER), *map(str, words)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/v1"

    def stats(self) -> dict[str, Any]:
        """Returns what it was asked and what it billed."""
        with urllib.request.urlopen(f"{self.url}/admin/stats", timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def stop(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()


@contextmanager
def mock(*words: object) -> Iterator[tuple[Mock, Path]]:
    """Gives a mock endpoint and a folder for its clients."""
    server = Mock(*words)
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield server, Path(folder)
    finally:
        server.stop()


def start(
    kind: str, server: Mock, count: int, concurrency: int, folder: Path, *settings: str
) -> "subprocess.Popen[str]":
    """Starts a client (see `_client.py`)."""
    words = [kind, server.url, str(count), str(concurrency), str(folder), *settings]
    return subprocess.Popen(
        [sys.executable, str(HERE / "_client.py"), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LINGSHU_PLUGINS": "0"},
    )


def measure(
    kind: str, server: Mock, count: int, concurrency: int, folder: Path, *settings: str
) -> dict[str, float]:
    """Runs a client to its end and returns what it took."""
    done = start(kind, server, count, concurrency, folder, *settings)
    output, told = done.communicate()
    if done.returncode:
        raise SystemExit(f"{kind} ended with {done.returncode}: {told[-2000:]}")
    found: dict[str, float] = json.loads(output)
    return found


def kill(client: "subprocess.Popen[str]") -> bool:
    """Kills a client at once; returns whether it was still running."""
    running = client.poll() is None
    with suppress(ProcessLookupError):
        client.send_signal(signal.SIGKILL)
    client.communicate()
    return running


def wait_for(server: Mock, billed: int, client: "subprocess.Popen[str]") -> None:
    """Waits until so many calls are billed or the client has ended."""
    while client.poll() is None and server.stats()["billed"] < billed:
        time.sleep(0.02)


def save(name: str, found: object) -> None:
    """Writes the results of a bench."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(found, indent=2) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
