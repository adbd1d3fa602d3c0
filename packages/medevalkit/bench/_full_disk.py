"""Commands on a disk that is full, then on the same disk with room; prints rows of JSON.

unshare --map-root-user --mount python _full_disk.py PLACE

The disk is in memory and mounted in a namespace of this process alone, which nobody else sees.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _flaky import Flaky
from _told import Told, answered, outcome, same, tell
from kills_after import verdicts, whole, write

ITEMS = 400
FITS = "400k"
"""Room for the items and a part of the answers."""
ROOM = "64m"


def main(place: Path) -> None:
    """Mounts, runs, prints."""
    task, there = write(place / "disk-task", ITEMS), place / "disk"
    there.mkdir()
    mount("size=" + FITS, there)
    with Flaky(said=lambda item: "lung") as server:
        rows = [asked(task, there, place / "disk-calm", server)]
    rows += list(afterwards(there / "run", place))
    print(json.dumps(rows))


def mount(options: str, there: Path) -> None:
    """Mounts a disk in memory, or changes how large it is."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(there)], check=True)


def asked(task: Path, there: Path, calm: Path, server: Flaky) -> dict[str, Any]:
    """Returns what a run did whose journal filled the disk."""
    words = ["run", "--model", "openai:any", "--tasks", f"manifest:{task}"]
    words += ["-s", f"endpoint.base_url={server.url}", "-s", "endpoint.concurrency=2"]
    first = tell(*words, "--out", str(there / "run"))
    row = {"fault": "`run`", **outcome(there / "run", ITEMS), **ended(first)}
    known = answered(there / "run")
    mount(f"remount,size={ROOM}", there)
    again = tell(*words, "--out", str(there / "run"))
    repeated, all_repeated = server.repeated(known), server.repeated(server.answered)
    row |= {"then": again.exit, "repeated": repeated, "in_flight": all_repeated - repeated}
    tell(*words, "--out", str(calm))
    return {**row, "equal": same(there / "run", calm)}


def afterwards(run: Path, place: Path) -> Iterator[dict[str, Any]]:
    """Yields what the commands did that read a run, each on a disk with no room for its files."""
    there = run.parent
    with Flaky(said=lambda item: f"<judge>{item % 2}</judge>") as server:
        judge = ["judge", str(run), "--model", "wise", "-s", f"endpoint.base_url={server.url}"]
        commands = {
            "`score --profile official`": ["score", str(run), "--profile", "official"],
            "`judge`": judge,
            "`report`": ["report", str(run)],
            "`export --to lm-eval`": ["export", str(run), "--to", "lm-eval", "--out", f"{run}/x"],
        }
        for name, words in commands.items():
            calm = place / f"disk-{words[0]}"
            shutil.copytree(run, calm)
            full(there)
            first = tell(*words)
            readable = whole(run / "scores.json")
            mount(f"remount,size={ROOM}", there)
            again = tell(*words)
            repeated = server.repeated(server.answered)
            tell(*(word.replace(str(run), str(calm)) for word in words))
            yield {
                "fault": name,
                **ended(first),
                "tables_whole": readable,
                "then": again.exit,
                "repeated": repeated,
                "equal": same(run, calm) and verdicts(run) == verdicts(calm),
            }
            server.answered.clear()


def full(there: Path) -> None:
    """Leaves a disk two pages, where not even a small file fits besides what is there."""
    used = shutil.disk_usage(there).used
    mount(f"remount,size={used + 2 * os.sysconf('SC_PAGE_SIZE')}", there)


def ended(told: Told) -> dict[str, Any]:
    """Returns how a command ended, as a row has it."""
    return {"exit": told.exit, "because": told.said}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
