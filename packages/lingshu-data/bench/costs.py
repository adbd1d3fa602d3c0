"""Computes what curating 5 and 100 million samples costs, from what the other benches measured.

    python packages/lingshu-data/bench/costs.py

CPU hours are those of the recipes `lingshu/captions` and `lingshu/texts` as `pipeline.py` measured
them on one core; memory is that of the process that groups, from the growth between 1 and 5 million
in `grouping.py`; disk is the working folder, which holds every line once a leg, and the keys. The
pictures themselves are linked, not copied. No figure here is measured at that size.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
MILLIONS = (5, 100)
TEXTS = 0.3
"""Share of samples without a picture."""
CORES, DAY = 16, 24.0
LEGS = 2
"""Legs of the recipe for captions: before and after pictures are compared."""


def main() -> None:
    """Prints and writes the table."""
    try:
        each = json.loads((RESULTS / "pipeline.json").read_text(encoding="utf-8"))
        grouping = json.loads((RESULTS / "grouping.json").read_text(encoding="utf-8"))
    except OSError as error:
        sys.exit(f"run pipeline.py and grouping.py first: {error}")
    rows = [cost(millions, each, grouping) for millions in MILLIONS]
    (RESULTS / "costs.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print("\n".join(f"{name:34}" + "".join(f"{row[name]:>12}" for row in rows) for name in rows[0]))


def cost(millions: int, each: dict[str, Any], grouping: dict[str, Any]) -> dict[str, float | int]:
    """Returns one column of the table."""
    samples = millions * 1e6
    shares = {"caption": 1 - TEXTS, "text": TEXTS}
    seconds = {
        "caption": each["pipeline_seconds"] / each["captions"],
        "text": each["texts_seconds"] / each["texts"],
    }
    hours = sum(samples * shares[kind] * seconds[kind] for kind in shares) / 3600
    one, five = grouping["1 million"], grouping["5 million"]
    growth = (five["peak_gigabytes"] - one["peak_gigabytes"]) / 4
    slope = (five["cpu_seconds"] - one["cpu_seconds"]) / 4
    memory = one["peak_gigabytes"] + growth * (millions * TEXTS - 1)
    pictures = each["key_bytes_each"]["caption"] * 2 * samples * shares["caption"] / 1e9
    work = sum(
        samples * shares[kind] * (legs * each["bytes_each"][kind]["line"] + keys)
        for kind, legs in {"caption": LEGS, "text": 1}.items()
        for keys in [each["key_bytes_each"][kind]]
    )
    stored = samples * shares["caption"] * each["bytes_each"]["caption"]["pictures"]
    return {
        "million samples": millions,
        "of these without a picture": round(millions * TEXTS, 1),
        "CPU hours": round(hours, 1),
        f"hours on {CORES} cores": round(hours / CORES, 1),
        f"machines of {CORES} cores for a day": math.ceil(hours / CORES / DAY),
        "grouping texts, CPU minutes": round(slope * millions * TEXTS / 60, 1),
        "memory, GB": round(max(memory, pictures, 0.3), 1),
        "working folder, GB": round(work / 1e9, 1),
        "pictures, GB": round(stored / 1e9),
    }


if __name__ == "__main__":
    main()
