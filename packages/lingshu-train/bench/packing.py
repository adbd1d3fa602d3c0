"""How long it takes to pack a million samples, and how full the rows are.

Bars (issue 7, section 2): rows at least 0.999 full, at most 2.5 s of CPU. Lengths are drawn as a
medical mixture has them: questions, captions, reports, long texts, reasoning.

    python packages/lingshu-train/bench/packing.py
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingshu_train.packing import pack

RESULTS = Path(__file__).parent / "results" / "packing.json"
COUNT, CAPACITY, WINDOW, ROUNDS = 1_000_000, 8192, 10_000, 5
FULL, SECONDS = 0.999, 2.5


def draw(count: int, seed: int) -> NDArray[np.int32]:
    """Returns lengths in tokens."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(5, count, p=[0.45, 0.15, 0.10, 0.25, 0.05])
    middle = np.array([220, 330, 520, 800, 1800])[kind]
    spread = np.array([0.35, 0.4, 0.4, 0.8, 0.6])[kind]
    lengths = np.exp(np.log(middle) + spread * rng.standard_normal(count))
    return np.clip(lengths, 40, CAPACITY).astype(np.int32)


def main() -> int:
    """Prints the figures, writes them, and says whether the bars are met."""
    taken, full = [], []
    for seed in range(ROUNDS):
        lengths = draw(COUNT, seed)
        started = time.process_time()
        _, starts = pack(lengths, CAPACITY, window=WINDOW)
        taken.append(time.process_time() - started)
        full.append(int(lengths.sum(dtype=np.int64)) / ((len(starts) - 1) * CAPACITY))
    found = {
        "samples": COUNT,
        "capacity": CAPACITY,
        "window": WINDOW,
        "cpu_s": [round(seconds, 2) for seconds in taken],
        "full": [round(share, 5) for share in full],
        "met": min(full) >= FULL and max(taken) <= SECONDS,
    }
    print(json.dumps(found, indent=2))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if found["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
