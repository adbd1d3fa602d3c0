"""A run that is killed with SIGKILL, at random moments, and given again.

The full version, with 5,000 calls and 20 kills, is `bench/kills.py`.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lingshu_core.manifest import Manifest

CLIENT = Path(__file__).parents[1] / "bench" / "_client.py"


def client(url, count, concurrency, folder, *settings):
    words = ["ours", url, count, concurrency, folder, *settings]
    return subprocess.Popen(
        [sys.executable, str(CLIENT), *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LINGSHU_PLUGINS": "0"},
    )


def finish(process):
    told = process.communicate()[1]
    assert process.returncode == 0, told


def parts(folder):
    return [path.read_bytes() for path in sorted((folder / "out").glob("part-*.jsonl"))]


BATCH = ("calls.batch=true", "calls.batch_poll=0.05", "calls.batch_requests=50")
STORED = ('calls.endpoints=[{url = "URL", stores = true}]',)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("latency", "kills", "settings", "in_flight", "most"),
    [
        (0.05, 4, (), 32, 32),
        (2.0, 1, (), 128, 128),
        (0.0, 3, BATCH, 16, 0),
        (0.3, 3, STORED, 32, 0),
    ],
    ids=["50 ms", "2 s", "batch", "stored completions"],
)
def test_killed_at_random_it_repeats_at_most_what_was_under_way(
    server, tmp_path, latency, kills, settings, in_flight, most
):
    calls, chance = 400, random.Random(7)
    calm, mock = server(), server("mock_endpoint.py", "--latency", latency, "--batch-time", 0.2)
    finish(client(calm.url, calls, 32, tmp_path / "calm"))
    hit = 0
    for _ in range(kills):
        process = client(mock.url, calls, in_flight, tmp_path / "killed", *settings)
        # A batch is billed at its end: by then there is nothing left to be killed in.
        begun = "batches" if settings == BATCH else "billed"
        before = mock.stats()[begun]
        while process.poll() is None and mock.stats()[begun] == before:
            time.sleep(0.02)
        time.sleep(chance.uniform(0.0, 0.2))
        hit += process.poll() is None
        process.kill()
        process.communicate()
        time.sleep(0.1)
    assert hit
    finish(client(mock.url, calls, in_flight, tmp_path / "killed", *settings))
    stats = mock.stats()
    assert stats["different"] == calls and stats["repeated"] <= hit * most
    assert parts(tmp_path / "killed") == parts(tmp_path / "calm")
    assert len(Manifest(tmp_path / "killed" / "out")) == calls
