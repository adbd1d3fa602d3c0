"""What goes wrong around a run, for real and through the command: what it costs, what is lost.

    python packages/medevalkit/bench/faults.py [--items 40]

Endpoints fail in all the ways they do, pictures are odd or broken, items are long, the disk is
full, two processes want one folder. Every time the cause is then taken away and the same command
given again: its scores are compared with those of a run that nothing disturbed, and the endpoint
counts the requests about items that it had answered already.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import kills_after
from _fault_pictures import pictures
from _flaky import FAULTS, TIMEOUT, Flaky, Reply
from _told import Told, answered, outcome, same, start, tell
from overhead import STEM, write

from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Prediction

RESULTS = Path(__file__).parent / "results" / "faults.json"
FULL_DISK = Path(__file__).parent / "_full_disk.py"
LONG = 100_000
BUDGET = 10
"""More than the items for which an endpoint always fails, or nothing would go on."""
Row = dict[str, Any]


def main() -> None:
    """Runs every fault, prints and writes the result; ends with 1 where anything was lost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=40)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        found = {
            "items": given.items,
            "endpoint": list(endpoints(place, given.items)),
            "judge": judge(place, given.items),
            "pictures": pictures(place),
            "long": long(place),
            "disk": disk(place),
            "processes": list(processes(place, given.items)),
        }
    given.out.parent.mkdir(exist_ok=True)
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    given.out.write_text(text, encoding="utf-8")
    print(text)
    if lost := list(_lost(found)):
        sys.exit("\n".join(lost))


def _lost(found: Any, name: str = "") -> Iterator[str]:
    """Yields where an end differs from an undisturbed one, or something was asked for nothing."""
    if isinstance(found, list):
        for one in found:
            yield from _lost(one, name)
    elif isinstance(found, dict):
        for key, value in found.items():
            if (key, value) == ("equal", False) or (key == "repeated" and value):
                yield f"{name} {found.get('fault', '')}: {key} is {value}"
            yield from _lost(value, key)


def endpoints(place: Path, items: int) -> Iterator[Row]:
    """Yields what every fault of an endpoint did to a run."""
    task, calm = write(place / "task", items), place / "calm"
    with Flaky() as server:
        ask(task, calm, server.url)
    for number, (fault, reply) in enumerate(FAULTS.items()):
        with Flaky(reply) as server:
            yield gone_on(fault, task, place / f"endpoint-{number}", calm, server)

    def refuse(status: int, said: bytes) -> Reply:
        return status, {}, said

    half = items // 2
    with Flaky(lambda: refuse(500, b"out of order"), good_for=half) as server:
        yield gone_on("answers 500 from the middle on", task, place / "down", calm, server)
    with Flaky(lambda: refuse(401, b"no such key"), good_for=half) as server:
        yield gone_on("refuses the key from the middle on", task, place / "key", calm, server)
    with Flaky() as server:
        out = place / "nobody"
        first = ask(task, out, "http://127.0.0.1:9/v1")
        row = {"fault": "is not there", **outcome(out, items), "exit": first.exit}
        again = ask(task, out, server.url)
        repeated = server.repeated(server.answered)
        yield {**row, "then": again.exit, "repeated": repeated, "equal": same(out, calm)}
    with Flaky(lambda: refuse(400, b"the prompt is too long")) as server:
        # For good: nothing is asked again, so there is no undisturbed end to compare with.
        row = gone_on("answers 400", task, place / "refused", calm, server)
        yield {**row, "equal": None}


def gone_on(fault: str, task: Path, out: Path, calm: Path, server: Flaky) -> Row:
    """Returns what a fault did to a run, and to the same command when the fault was gone."""
    first = ask(task, out, server.url)
    row = {"fault": fault, **outcome(out, len(list(Manifest(task)))), "exit": first.exit}
    if first.exit:
        row["because"] = first.said
    server.fault, known = None, answered(out)
    again = ask(task, out, server.url)
    repeated = server.repeated(known)
    return {**row, "then": again.exit, "repeated": repeated, "equal": same(out, calm)}


def ask(task: Path, out: Path, url: str) -> Told:
    """Asks an endpoint about a task."""
    words = ["run", "--model", "openai:any", "--tasks", f"manifest:{task}", "--out", str(out)]
    return tell(*words, *at(url))


def at(url: str) -> list[str]:
    """Returns the settings of an endpoint that is given up soon."""
    given = (
        *(f"base_url={url}", "concurrency=4", "retries=2", "backoff=0.05"),
        *(f"timeout={TIMEOUT}", f"error_budget={BUDGET}"),
    )
    return [word for one in given for word in ("-s", f"endpoint.{one}")]


def judge(place: Path, items: int) -> Row:
    """Returns what a judge's endpoint with all the faults in turn did."""
    task = kills_after.write(place / "open", items)
    run = place / "judged"
    tell("run", "--model", "constant:lung", "--tasks", f"manifest:{task}", "--out", str(run))
    out, calm = (shutil.copytree(run, place / f"judged-{name}") for name in ("out", "calm"))
    turns = cycle(FAULTS.values())

    def said(item: int) -> str:
        return f"<judge>{item % 2}</judge>"

    def command(folder: Path, server: Flaky) -> Told:
        return tell("judge", str(folder), "--model", "wise", *at(server.url))

    # One server for both: its address is among what tables say of a judge.
    with Flaky(said=said) as server:
        command(calm, server)
        server.answered.clear()
        server.fault = lambda: next(turns)()
        first = command(out, server)
        kept = len(kills_after.verdicts(out))
        server.fault = None
        again = command(out, server)
        return {
            "fault": "all of these in turn, of a judge",
            "answered": kept,
            "unanswered": items - kept,
            "because": "",
            "exit": first.exit,
            "then": again.exit,
            "repeated": server.repeated(server.answered),
            "equal": same(out, calm),
        }


def long(place: Path) -> Row:
    """Returns what every command did with items of 100,000 characters."""
    task, out = place / "long", place / "long-run"
    (record,) = Manifest(write(place / "one", 1))
    producer = Producer(package="bench", version="0", command="bench", settings="")
    stems = ("x" * LONG, "是" * LONG, f"{STEM}\n" * (LONG // len(STEM)), "<b>&\u2028" * (LONG // 5))
    with ManifestWriter(task, producer=producer) as writer:
        for number, stem in enumerate(stems):
            text = f"{number}: A patient {stem}"
            writer.write(record.replace(id=f"bench/{number:020x}", question=text))
    answer = "no " * (LONG // 3) + "The answer is A."
    with Flaky(said=lambda item: answer) as server:
        ended = {"run": ask(task, out, server.url).exit}
    ended |= {name: tell(name, str(out)).exit for name in ("score", "report")}
    said = [one.response for one in Manifest(out / "predictions").of(Prediction)]
    return {
        "items": len(stems),
        "characters": LONG,
        "whole": sum(one == answer for one in said),
        "exits": ended,
    }


def disk(place: Path) -> list[Row]:
    """Returns what commands did on a full disk; a small one of memory, mounted for this alone."""
    words = ["unshare", "--map-root-user", "--mount", sys.executable, str(FULL_DISK), str(place)]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"no disk could be mounted: {ran.stderr[-500:]}")
    rows: list[Row] = json.loads(ran.stdout)
    return rows


def processes(place: Path, items: int) -> Iterator[Row]:
    """Yields what a second command did in a folder in which a run was at work."""
    task, out = place / "task", place / "shared"
    with Flaky(said=_slowly) as server:
        words = ["run", "--model", "openai:any", "--tasks", f"manifest:{task}", "--out", str(out)]
        words += [*at(server.url), "-s", "endpoint.concurrency=1"]
        first = start(*words)
        while not (out / "journal.jsonl").is_file():
            time.sleep(0.02)
        for name in ("run", "score"):
            second = tell(*words) if name == "run" else tell(name, str(out))
            at_work = first.poll() is None
            yield {
                "fault": f"`{name}` where a run is at work",
                "exit": second.exit,
                "because": second.said,
                "first_went_on": at_work,
            }
        ended = first.wait()
        yield {
            "fault": "the run that was there first",
            **outcome(out, items),
            "exit": ended,
            "repeated": server.repeated(server.answered),
            "equal": same(out, place / "calm"),
        }


def _slowly(item: int) -> str:
    time.sleep(0.15)
    return "AB"[item % 2]


if __name__ == "__main__":
    main()
