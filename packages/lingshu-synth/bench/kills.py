"""How many calls are paid twice where runs are killed, and whether the manifest is the same.

One run is killed 20 times at random moments and given again each time; another once, at half of
its calls. Bars (issue 4): calls repeated at most the number in flight, in batches none; the final
manifest is byte-equal to that of a run nobody disturbed.

    python packages/lingshu-synth/bench/kills.py
"""

import argparse
import random
import sys
import time
from pathlib import Path

from _mock import Mock, kill, measure, mock, save, start, wait_for

BATCH = ("calls.batch=true", "calls.batch_poll=0.1", "calls.batch_requests=250")


def main() -> int:
    """Prints a table, writes the results and says whether the bars are met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    rows = []
    cases = {
        "online, 50 ms": (options.kills, 0.05, 64, ()),
        "online, 50 ms, at half": (1, 0.05, 256, ()),
        "online, 2 s": (options.kills, 2.0, 256, ()),
        "batch": (options.kills, 0.0, 64, BATCH),
    }
    for name, (kills, latency, concurrency, settings) in cases.items():
        if options.only in name:
            row = case(options.calls, kills, latency, concurrency, settings)
            rows.append({"case": name, **row})
            print(rows[-1], flush=True)
    met = all(row["met"] for row in rows)
    if not options.only:
        save("kills", {"rows": rows, "met": met})
    return 0 if met else 1


def case(
    calls: int, kills: int, latency: float, concurrency: int, settings: tuple[str, ...]
) -> dict[str, object]:
    """Kills a run so many times and compares it with one that nobody disturbed."""
    with mock("--latency", 0) as (server, folder):
        measure("ours", server, calls, 64, folder)
        expected = parts(folder / "out")
    with mock("--latency", latency, "--batch-time", 0.5) as (server, folder):
        begun = time.perf_counter()
        hit = attack(server, folder, calls, kills, concurrency, settings)
        measure("ours", server, calls, concurrency, folder, *settings)
        wall = time.perf_counter() - begun
        stats = server.stats()
        same = parts(folder / "out") == expected
    bound = 0 if settings else hit * concurrency
    met = same and stats["repeated"] <= bound and stats["different"] == calls
    return {
        "calls": calls,
        "in_flight": concurrency,
        "kills": hit,
        "repeated": stats["repeated"],
        "repeated_a_kill": round(stats["repeated"] / max(1, hit), 1),
        "same_bytes": same,
        "wall_s": round(wall, 1),
        "met": met,
    }


def attack(
    server: Mock,
    folder: Path,
    calls: int,
    kills: int,
    concurrency: int,
    settings: tuple[str, ...],
) -> int:
    """Kills the run at random moments; returns how many kills hit it while it ran."""
    chance = random.Random(4)
    points = sorted(chance.uniform(0.02, 0.95) for _ in range(kills)) if kills > 1 else [0.5]
    hit = 0
    for point in points:
        client = start("ours", server, calls, concurrency, folder, *settings)
        if settings:
            time.sleep(chance.uniform(0.8, 3.0))
        else:
            already = server.stats()["billed"]
            wait_for(server, max(already + 1, int(point * calls)), client)
            time.sleep(chance.uniform(0.0, 0.1))
        hit += kill(client)
        # What was on its way to the endpoint when the client died arrives all the same.
        time.sleep(0.1)
    return hit


def parts(folder: Path) -> list[bytes]:
    """Returns the bytes of a manifest's parts."""
    return [path.read_bytes() for path in sorted(folder.glob("part-*.jsonl"))]


if __name__ == "__main__":
    sys.exit(main())
