"""How many calls are paid twice where runs are killed, and whether the manifest is the same.

Some runs are killed 20 times at random moments and given again each time; others, 20 of each kind,
once, when half of their calls are billed. Bars (issue 4): calls repeated at most the number in
flight for each kill, in batches none; the final manifest is byte-equal to that of a run nobody
disturbed.

    python packages/lingshu-synth/bench/kills.py [--only "2 s, at half"]
"""

import argparse
import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from _mock import RESULTS, Mock, kill, measure, mock, save, start, wait_for

BATCH = ("calls.batch=true", "calls.batch_poll=0.1", "calls.batch_requests=250")
NAME = "kills"


@dataclass(frozen=True)
class Case:
    """Runs of one kind."""

    runs: int
    kills: int
    """Of each run: one at half of the calls, or several at random."""
    latency: float
    in_flight: int
    settings: tuple[str, ...] = ()


def main() -> int:
    """Prints a table, writes the results and says whether the bars are met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--only", default="", help="one case; the results of others stay")
    options = parser.parse_args()
    kills = options.kills
    cases = {
        "50 ms": Case(1, kills, 0.05, 64),
        "2 s": Case(1, kills, 2.0, 256),
        "batch": Case(1, kills, 0.0, 64, BATCH),
        "50 ms, at half": Case(kills, 1, 0.05, 256),
        "2 s, at half": Case(kills, 1, 2.0, 256),
    }
    with mock() as (server, folder):
        measure("ours", server, options.calls, 64, folder)
        expected = parts(folder / "out")
    rows = known() if options.only else {}
    for name, case in cases.items():
        if options.only in ("", name):
            rows[name] = {"case": name, **row(case, options.calls, expected)}
            print(rows[name], flush=True)
    met = all(found["met"] for found in rows.values())
    save(NAME, {"rows": [rows[name] for name in cases if name in rows], "met": met})
    return 0 if met else 1


def known() -> dict[str, dict[str, object]]:
    """Returns the results of earlier runs by case."""
    path = RESULTS / f"{NAME}.json"
    found = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.is_file() else []
    return {one["case"]: one for one in found}


def row(case: Case, calls: int, expected: list[bytes]) -> dict[str, object]:
    """Runs a case and returns its line of the table."""
    begun = time.perf_counter()
    repeated, hits, met, same = [], 0, True, True
    for number in range(case.runs):
        with mock("--latency", case.latency, "--batch-time", 0.5) as (server, folder):
            hit = attack(case, server, folder, calls, random.Random(4 + number))
            measure("ours", server, calls, case.in_flight, folder, *case.settings)
            stats = server.stats()
            same &= parts(folder / "out") == expected
        bound = 0 if case.settings else hit * case.in_flight
        met &= stats["repeated"] <= bound and stats["different"] == calls
        hits += hit
        repeated.append(stats["repeated"])
    return {
        "calls": calls,
        "in_flight": case.in_flight,
        "runs": case.runs,
        "kills": hits,
        "repeated": sum(repeated),
        "repeated_a_kill": round(sum(repeated) / max(1, hits), 1),
        "most_repeated_in_a_run": max(repeated),
        "same_bytes": same,
        "wall_s": round(time.perf_counter() - begun, 1),
        "met": met and same,
    }


def attack(case: Case, server: Mock, folder: Path, calls: int, chance: random.Random) -> int:
    """Kills a run as often as it shall be; returns how many kills hit it while it ran."""
    points = [0.5]
    if case.kills > 1:
        points = sorted(chance.uniform(0.02, 0.95) for _ in range(case.kills))
    hit = 0
    for point in points:
        client = start("ours", server, calls, case.in_flight, folder, *case.settings)
        if case.settings:
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
