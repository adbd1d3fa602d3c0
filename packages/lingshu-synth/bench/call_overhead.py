"""What journal and pacing cost beside the bare `openai` client on the same transport.

Bar (issue 4): 5,000 requests at 50 ms latency, at 64 and at 256 in flight, at most 0.3 ms of CPU
a request more than the bare client; memory below 150 MB.

    python packages/lingshu-synth/bench/call_overhead.py
"""

import argparse
import sys

from _mock import measure, mock, save

MOST_MS, MOST_MB = 0.3, 150.0


def main() -> int:
    """Prints a table, writes the results and says whether the bars are met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--latency", type=float, default=0.05)
    options = parser.parse_args()
    rows, met = [], True
    for concurrency in (64, 256):
        row: dict[str, float] = {"in_flight": concurrency, "calls": options.calls}
        for kind in ("openai", "ours"):
            with mock("--latency", options.latency) as (server, folder):
                found = measure(kind, server, options.calls, concurrency, folder)
            row[f"{kind}_cpu_ms"] = round(1000 * found["cpu"] / options.calls, 3)
            row[f"{kind}_per_second"] = round(options.calls / found["wall"], 1)
            row[f"{kind}_rss_mb"] = round(found["rss_mb"], 1)
        row["added_ms"] = round(row["ours_cpu_ms"] - row["openai_cpu_ms"], 3)
        rows.append(row)
        print(row, flush=True)
        met &= row["added_ms"] <= MOST_MS and row["ours_rss_mb"] < MOST_MB
    save("call_overhead", {"latency_s": options.latency, "rows": rows, "met": met})
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
