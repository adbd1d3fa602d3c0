"""Measures how long signatures take to become groups, and how much memory.

Every part runs in a process of its own, whose CPU seconds and greatest memory are told.

    python packages/lingshu-data/bench/grouping.py [MILLIONS ...]
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lingshu_data.minhash import band_keys, candidates, components

RESULTS = Path(__file__).parent / "results" / "grouping.json"
BANDS, ROWS, COPIES = 16, 8, 0.1
BARS = {1: (6.0, 0.6), 5: (30.0, 2.0)}
"""CPU seconds and gigabytes, by millions of signatures."""


def keys_on_disk(path: Path, count: int) -> int:
    """Writes the band keys of signatures, a tenth of which repeat another in part.

    Returns how many copies were planted that agree in a band.
    """
    random = np.random.default_rng(0)
    copies = int(count * COPIES)
    keys = np.lib.format.open_memmap(path, "w+", np.uint64, (BANDS, count))
    block = 100_000
    for start in range(0, count, block):
        signatures = random.integers(0, 1 << 32, (min(block, count - start), 128), dtype=np.uint32)
        near = signatures[: int(len(signatures) * COPIES)].copy()
        near[random.random(near.shape) < 0.1] = 0
        signatures[-len(near) :] = near
        keys[:, start : start + len(signatures)] = band_keys(signatures, BANDS, ROWS).T
    return copies


def measure(path: Path) -> dict[str, float | int]:
    """Groups the keys, one band in memory at a time."""
    keys = np.load(path, mmap_mode="r")
    started = time.process_time()
    pairs = candidates(np.array(band) for band in keys)
    groups = components(keys.shape[1], pairs)
    return {
        "signatures": int(keys.shape[1]),
        "pairs": len(pairs),
        "groups": int(groups.max()) + 1,
        "cpu_seconds": round(time.process_time() - started, 2),
        "peak_gigabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 3),
    }


def main() -> None:
    """Writes the measurements, and exits with 1 where a bar is missed."""
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(Path(sys.argv[2]))))
        return
    found, missed = {}, False
    for millions in map(int, sys.argv[1:] or ["1", "5"]):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "keys.npy"
            keys_on_disk(path, millions * 1_000_000)
            command = [sys.executable, __file__, "--measure", str(path)]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found[f"{millions} million"] = row = json.loads(out)
        seconds, gigabytes = BARS[millions]
        missed |= row["cpu_seconds"] > seconds or row["peak_gigabytes"] > gigabytes
        print(row, flush=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.exit("a bar is missed" if missed else 0)


if __name__ == "__main__":
    main()
