"""Memory of a run from 5,000 records to many more.

Bar (issue 4): below 150 MB, and no more for the largest run than 10 % over the smallest.

    python packages/lingshu-synth/bench/flat_memory.py --calls 5000 100000 500000
"""

import argparse
import sys

from _mock import measure, mock, save

MOST_MB, MOST_GROWTH = 150.0, 1.1


def main() -> int:
    """Prints a table, writes the results and says whether the bars are met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, nargs="+", default=[5000, 50_000])
    options = parser.parse_args()
    rows = []
    for count in options.calls:
        with mock() as (server, folder):
            found = measure("ours", server, count, 64, folder)
        rows.append({"records": count, "rss_mb": round(found["rss_mb"], 1)})
        print(rows[-1], flush=True)
    most = max(row["rss_mb"] for row in rows)
    met = most < MOST_MB and most <= MOST_GROWTH * rows[0]["rss_mb"]
    save("flat_memory", {"rows": rows, "met": met})
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
