"""Kills `medevalkit score` and `medevalkit judge` at random moments, and compares their ends.

    python packages/medevalkit/bench/kills_after.py [--kills 50] [--items 1000] [--out FILE]

Every child gets SIGKILL after a random time; then the same command runs to its end. After each kill
of `score` the tables must be whole or absent; one that comes after the child's end does not count.
The judge's endpoint notes every request that it answers: one whose verdict was kept before a start
must never be asked again. Where the judge has nothing left to ask, its kills end early.
"""

import argparse
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _judge_server import JudgeServer

from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Question, Source
from medevalkit.judging import key
from medevalkit.settings import JudgeSettings
from medevalkit.verdicts import CACHE_NAME

RESULTS = Path(__file__).parent / "results" / "kills_after.json"
JUDGE = "wise"


def main() -> None:
    """Kills, compares, prints and writes the result; ends with 1 where anything differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        task = write(place / "task", given.items)
        command("run", "--model", "constant:lung", f"--tasks=manifest:{task}", f"--out={place}/run")
        found = {
            "score": kill_score(place, given.kills) | {"items": given.items},
            "judge": kill_judge(place, given.kills) | {"items": given.items},
        }
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    score, judge = found["score"], found["judge"]
    if not (score["equal"] and judge["equal"]) or score["broken"] or judge["asked_again"]:
        sys.exit(1)


def kill_score(place: Path, kills: int) -> dict[str, int | bool]:
    """Returns what kills of `score` did to its tables."""
    out, calm = (shutil.copytree(place / "run", place / f"score-{n}") for n in ("out", "calm"))
    rng, broken, done = random.Random(0), 0, 0
    took = timed("score", str(calm))
    while done < kills:
        if killed(rng.uniform(0.3, 1.0) * took, "score", str(out)):
            done += 1
        else:
            took *= 0.9  # the first was slow: a kill that always comes late would never count
        broken += not whole(out / "scores.json")
    command("score", str(out))
    return {"kills": done, "broken": broken, "equal": tables(out) == tables(calm)}


def kill_judge(place: Path, kills: int) -> dict[str, int | bool]:
    """Returns what kills of `judge` cost."""
    out, calm = (shutil.copytree(place / "run", place / f"judge-{n}") for n in ("out", "calm"))
    rng, again, done = random.Random(0), 0, 0
    settings = JudgeSettings(model=JUDGE)
    with JudgeServer() as server:
        given = ["--model", JUDGE, "-s", f"endpoint.base_url={server.url}"]
        given += ["-s", "endpoint.concurrency=1"]

        def told_again(known: set[bytes], before: int) -> int:
            return sum(key(settings, text) in known for text in server.answered[before:])

        while done < kills:
            known, before = set(verdicts(out)), len(server.answered)
            if not killed(rng.uniform(0.4, 2.0), "judge", str(out), *given):
                break
            done += 1
            time.sleep(0.05)  # what flew when the kill came is noted by now
            again += told_again(known, before)
        known, before = set(verdicts(out)), len(server.answered)
        command("judge", str(out), *given)
        again += told_again(known, before)
        asked = list(server.answered)
        command("judge", str(calm), *given)
    return {
        "kills": done,
        "verdicts": len(verdicts(out)),
        "judged_before_the_last_start": len(known),
        "lost_in_flight": len(asked) - len(set(asked)),
        "asked_again": again,
        "equal": verdicts(out) == verdicts(calm) and tables(out) == tables(calm),
    }


def killed(after: float, *words: str) -> bool:
    """Says whether a child was still at work when its kill came, `after` seconds."""
    child = start(*words)
    try:
        if child.wait(after):
            raise RuntimeError(f"medevalkit {words[0]} did not end well")
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait() != 0
    return False


def timed(*words: str) -> float:
    """Returns the seconds that a command takes."""
    began = time.monotonic()
    command(*words)
    return time.monotonic() - began


def command(*words: str) -> None:
    """Runs a command to its end."""
    if start(*words).wait():
        raise RuntimeError(f"medevalkit {words[0]} did not end well")


def start(*words: str) -> subprocess.Popen[bytes]:
    """Starts a command."""
    return subprocess.Popen(
        [sys.executable, "-m", "medevalkit", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def whole(path: Path) -> bool:
    """Says whether a file of JSON is absent or can be read to its end."""
    try:
        json.loads(path.read_bytes() if path.is_file() else b"{}")
    except ValueError:
        return False
    return True


def tables(out: Path) -> dict[str, bytes]:
    """Returns the tables of a run and the records of its scores."""
    paths = [out / "scores.json", *sorted((out / "scores").rglob("*.jsonl"))]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}


def verdicts(out: Path) -> dict[bytes, str]:
    """Returns the verdicts that a run keeps, by their addresses."""
    if not (out / CACHE_NAME).is_file():
        return {}
    base = sqlite3.connect(out / CACHE_NAME)
    try:
        return dict(base.execute("SELECT key, value FROM kept"))
    except sqlite3.OperationalError:
        return {}  # killed before the table was made
    finally:
        base.close()


def write(out: Path, count: int) -> Path:
    """Writes a manifest of open questions."""
    producer = Producer(package="bench", version="0", command="bench", settings="")
    source = Source(dataset="bench", licence="CC0-1.0")
    with ManifestWriter(out, producer=producer) as writer:
        for number in range(count):
            writer.write(
                Question(
                    id=f"bench/{number:020x}",
                    source=source,
                    modality="text",
                    question=f"Which organ does finding {number} concern?",
                    answer=("lung", "liver")[number % 2],
                    answer_kind="open",
                    tags={"topic": "organ"},
                )
            )
    return out


if __name__ == "__main__":
    main()
