"""Kills `lingshu-data curate` at random moments and compares its end with an undisturbed run's.

Each round starts the command with two workers and ends it, and with it all its workers, by SIGKILL
after a random time; then the same command is given again. A shard that stood finished at a kill
must never be done again, nothing may look finished too early, and the end must be the same bytes.
Once the disk is full on the way, a small file system of its own where the machine lets mount one.

    python packages/lingshu-data/bench/kills.py [--kills 30]
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import _corpus

RESULTS = Path(__file__).parent / "results" / "kills.json"
CAPTIONS, QUESTIONS = 3000, 12_000
LONGEST = 8.0
"""Seconds from the moment a start has its working folder to its kill, at most."""


def main() -> None:
    """Prints and writes what the kills did, and exits with 1 where something is not as it was."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--kills", type=int, default=30)
    kills = words.parse_args().kills
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        data = _corpus.write(place / "in", CAPTIONS, QUESTIONS)
        (place / "recipe.toml").write_text(_corpus.RECIPE, encoding="utf-8")
        begun = time.monotonic()
        finish(start(place, data, place / "calm"))
        calm, seconds = content(place / "calm"), time.monotonic() - begun
        found = attack(place, data, kills, calm)
        found["full_disk"] = full_disk(place, data, calm)
    found = {"records": CAPTIONS + QUESTIONS, "undisturbed_seconds": round(seconds, 1), **found}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))
    good = found["same_bytes"] and not found["done_again"] and not found["looked_finished"]
    sys.exit(0 if good and found["full_disk"]["same_bytes"] else 1)


def attack(place: Path, data: Path, kills: int, calm: dict[str, bytes]) -> dict[str, Any]:
    """Kills runs until there were enough kills; a run that was faster is begun anew."""
    dice = random.Random(0)
    killed, ends, same, again, finished, kept = 0, 0, True, 0, 0, 0
    known: dict[str, int] = {}
    out = place / "out"
    while killed < kills:
        child = start(place, data, out)
        while child.poll() is None and not list(place.glob(".out.work/*")):
            time.sleep(0.01)
        time.sleep(dice.uniform(0, LONGEST))
        child.kill()
        if child.wait() == 0:
            ends += 1
            same &= content(out) == calm
            shutil.rmtree(out)
            known = {}
            continue
        killed += 1
        # A kill may come after the output has appeared; then it has to be whole.
        finished += out.exists() and content(out) != calm
        now = shards(place)
        # A run that came as far as its end has removed its shards.
        again += sum(now.get(name, inode) != inode for name, inode in known.items())
        kept += len(known)
        known = now
    finish(start(place, data, out))
    same &= content(out) == calm
    shutil.rmtree(out)
    return {
        "kills": killed,
        "ends": ends + 1,
        "same_bytes": same,
        "finished_shards_met_again": kept,
        "done_again": again,
        "looked_finished": finished,
    }


def full_disk(place: Path, data: Path, calm: dict[str, bytes]) -> dict[str, Any]:
    """Lets a run fill a disk of 3 MB, gives it room, and lets it go on."""
    disk = place / "disk"
    disk.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mounted, check=False, capture_output=True).returncode:
        return {"mounted": False, "same_bytes": True}
    try:
        child = start(place, data, disk / "out")
        said = child.communicate()[1].decode()
        looks = (disk / "out").exists()
        subprocess.run(["mount", "-o", "remount,size=400m", str(disk)], check=True)
        finish(start(place, data, disk / "out"))
        same = content(disk / "out") == calm
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    return {
        "mounted": True,
        "exit": child.returncode,
        "said_so": "the disk is full" in said,
        "looked_finished": looks,
        "same_bytes": same,
    }


def start(place: Path, data: Path, out: Path) -> subprocess.Popen[bytes]:
    """Starts a run."""
    command = [sys.executable, "-m", "lingshu_data", "curate", str(data), "--out", str(out)]
    command += ["--recipe", str(place / "recipe.toml"), "--workers", "2"]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def finish(child: subprocess.Popen[bytes]) -> None:
    """Waits for a run that has to end well."""
    said = child.communicate()[1].decode()
    if child.returncode:
        raise RuntimeError(said)


def shards(place: Path) -> dict[str, int]:
    """Returns the finished shards with their inodes, which doing one again would change."""
    found = place.glob(".out.work/*/leg-*/[0-9]*")
    return {f"{path.parent.name}/{path.name}": path.stat().st_ino for path in found}


def content(out: Path) -> dict[str, bytes]:
    """Returns the files of an output but for its headers, which hold the time."""
    files = (path for path in out.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


if __name__ == "__main__":
    main()
