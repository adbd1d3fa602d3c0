"""Curates a million synthetic records, and measures time and the memory of the whole process tree.

A fifth of the records are captions, each with a picture of its own, the rest questions: the recipe
filters and deduplicates pictures, counts words, and deduplicates texts across all records.

    python packages/lingshu-data/bench/scale.py [--records 1000000] [--workers 2] [--work DIR]
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import _corpus
import psutil

RESULTS = Path(__file__).parent / "results" / "scale.json"
BAR_GIGABYTES = 4.0
SIDE = 72


class Watch(threading.Thread):
    """Looks at a process and its descendants twice a second."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._root = psutil.Process(process)
        self.peak = 0
        """Bytes held by all of them together, shared pages counted once."""
        self.resident = 0
        """The same with shared pages counted for every process."""
        self.seconds: dict[int, float] = {}

    def run(self) -> None:
        """Looks until the process is gone."""
        while True:
            try:
                family = [self._root, *self._root.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            unique = resident = 0
            for one in family:
                try:
                    memory = one.memory_full_info()
                    times = one.cpu_times()
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
                unique += memory.pss
                resident += memory.rss
                self.seconds[one.pid] = times.user + times.system
            self.peak = max(self.peak, unique)
            self.resident = max(self.resident, resident)
            time.sleep(0.5)


def main() -> None:
    """Prints and writes the measurements, and exits with 1 where the bar is missed."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--records", type=int, default=1_000_000)
    words.add_argument("--workers", type=int, default=2)
    words.add_argument("--work", type=Path, help="where there is room: 8 GB for a million")
    given = words.parse_args()
    with tempfile.TemporaryDirectory(dir=given.work) as scratch:
        found = measured(Path(scratch), given.records, given.workers)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))
    sys.exit(0 if found["peak_gigabytes"] < BAR_GIGABYTES else "the bar is missed")


def measured(place: Path, records: int, workers: int) -> dict[str, Any]:
    """Makes the corpus and curates it."""
    begun = time.monotonic()
    captions = records // 5
    data = _corpus.write(place / "in", captions, records - captions, SIDE)
    made = time.monotonic() - begun
    (place / "recipe.toml").write_text(_corpus.RECIPE, encoding="utf-8")
    command = [sys.executable, "-m", "lingshu_data", "curate", str(data)]
    command += ["--recipe", str(place / "recipe.toml"), "--out", str(place / "out")]
    begun = time.monotonic()
    most = 0
    with subprocess.Popen([*command, "--workers", str(workers)]) as child:
        watch = Watch(child.pid)
        watch.start()
        try:
            while child.poll() is None:
                most = max(most, size_of(place / ".out.work"))
                time.sleep(20)
        except BaseException:
            child.kill()
            raise
    wall = time.monotonic() - begun
    watch.join()
    if child.returncode:
        raise RuntimeError(f"the run ended with {child.returncode}")
    counts = json.loads((place / "out" / "stats.json").read_text(encoding="utf-8"))["counts"]
    if counts["in"] != counts["kept"] + counts["dropped"] + counts["set_aside"]:
        raise RuntimeError(f"the ledger has a gap: {counts}")
    shutil.rmtree(place / "out")
    return {
        "records": records,
        "captions": captions,
        "workers": workers,
        "counts": {name: counts[name] for name in ("in", "kept", "dropped", "set_aside")},
        "corpus_seconds": round(made, 1),
        "wall_seconds": round(wall, 1),
        "cpu_seconds": round(sum(watch.seconds.values()), 1),
        "peak_gigabytes": round(watch.peak / 1e9, 2),
        "peak_resident_gigabytes": round(watch.resident / 1e9, 2),
        "working_folder_gigabytes": round(most / 1e9, 2),
    }


def size_of(folder: Path) -> int:
    """Returns the bytes of the files in a folder that others write."""
    total = 0
    # `walk` passes over folders that are renamed meanwhile; `rglob` stops at them.
    for inside, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(inside, name).stat().st_size
    return total


if __name__ == "__main__":
    main()
