"""Kills `medevalkit run` at random moments and compares its end with that of an undisturbed run.

    python packages/medevalkit/bench/kills.py [--kills 50] [--items 1500]

Every child gets SIGKILL after a random time; then the same command goes on until it ends by itself.
The model notes every request it answers: one that the journal holds must never be asked again. A
request whose answer was not written yet when the kill came is in flight, and may be.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from overhead import write

RESULTS = Path(__file__).parent / "results" / "kills.json"
SLOW = """
import os, time
from medevalkit.backend import Answer, Backend, named

class Slow:
    def answers(self, requests):
        for request in requests:
            time.sleep(0.02)
            with open(os.environ["ASKED"], "a") as file:
                file.write(request.key.hex() + "\\n")
            yield Answer(request, "A", "stop")

    def close(self):
        pass

SLOW = Backend("takes its time", lambda name, settings: Slow(), named)
"""


def main() -> None:
    """Kills, compares, prints and writes the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--items", type=int, default=1500)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        found = kill(Path(place), given.kills, given.items)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    if not (found["scores_equal"] and found["predictions_equal"] and not found["asked_again"]):
        sys.exit(1)


def kill(place: Path, kills: int, items: int) -> dict[str, int | bool]:
    """Returns what the kills cost."""
    task = write(place / "task", items)
    plugin, notes = place / "slow.py", place / "asked.txt"
    plugin.write_text(SLOW, encoding="utf-8")
    notes.touch()
    environment = {**os.environ, "ASKED": str(notes)}
    out, calm = place / "out", place / "calm"
    rng = random.Random(0)
    done, again = 0, 0
    while done < kills:
        known, before = journaled(out), len(notes.read_text().split())
        child = start(plugin, task, out, environment)
        time.sleep(rng.uniform(0.2, 1.9))
        if child.poll() is not None:
            break
        child.kill()
        child.wait()
        done += 1
        again += sum(key in known for key in notes.read_text().split()[before:])
    known, before = journaled(out), len(notes.read_text().split())
    if start(plugin, task, out, environment).wait():
        raise RuntimeError("the last start did not end well")
    again += sum(key in known for key in notes.read_text().split()[before:])
    asked = notes.read_text().split()
    if start(plugin, task, calm, environment).wait():
        raise RuntimeError("the undisturbed run did not end well")
    return {
        "kills": done,
        "items": items,
        "requests": len(asked),
        "lost_in_flight": len(asked) - len(set(asked)),
        "asked_again": again,
        "scores_equal": (out / "scores.json").read_bytes() == (calm / "scores.json").read_bytes(),
        "predictions_equal": records(out) == records(calm),
    }


def start(
    plugin: Path, task: Path, out: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    """Starts a run."""
    words = ["run", "--model", f"{plugin}:SLOW:x", "--tasks", f"manifest:{task}", "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, "-m", "medevalkit", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def journaled(out: Path) -> set[str]:
    """Returns the keys of the requests whose answers are whole in the journal."""
    journal = out / "journal.jsonl"
    if not journal.is_file():
        return set()
    lines = journal.read_bytes().split(b"\n")[1:-1]
    return {json.loads(line)["key"] for line in lines}


def records(out: Path) -> list[bytes]:
    """Returns the files of the predictions' records."""
    return [path.read_bytes() for path in sorted((out / "predictions").glob("part-*.jsonl"))]


if __name__ == "__main__":
    main()
