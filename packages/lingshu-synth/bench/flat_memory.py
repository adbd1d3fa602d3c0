"""Memory of a run from 5,000 records to many more.

Bar (issue 4): below 150 MB, and no more for the large run than 10 % over the small one.

    python packages/lingshu-synth/bench/flat_memory.py --calls 500000
"""

import argparse
import sys

from _mock import measure, mock, save

MOST_MB, MOST_GROWTH = 150.0, 1.1


def main() -> int:
    """Prints a table, writes the results and says whether the bars are met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=50_000)
    options = parser.parse_args()
    rows = []
    for count in (5000, options.calls):
        with mock() as (server, folder):
            found = measure("ours", server, count, 64, folder)
        rows.append({"records": count, "rss_mb": round(found["rss_mb"], 1)})
        print(rows[-1], flush=True)
    small, large = rows[0]["rss_mb"], rows[1]["rss_mb"]
    met = large < MOST_MB and large <= MOST_GROWTH * small
    save("flat_memory", {"rows": rows, "met": met})
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
