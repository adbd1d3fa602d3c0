"""What the harness itself costs: time an item, memory with 88,996 items, start of the commands.

    python packages/medevalkit/bench/overhead.py [--items 20000] [--large 88996]

The backend answers at once, journal and record of every answer are on, and every figure is CPU time
of a process of its own, net of the start (the same command with 16 items). Beside it stands a bare
loop that asks, hashes the key and writes a line with a sync now and then: what cannot be saved.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image as Pillow

from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Image, Option, Question, Source

RESULTS = Path(__file__).parent / "results" / "overhead.json"
SOURCE = Source(dataset="bench", licence="CC0-1.0")
STEM = "A patient presents with a finding that has to be named from the history and the signs. " * 2
FEW = 16
SIDE = 300
INSTANT = Path(__file__).parent / "_instant.py"
FLOOR = """
import hashlib, json, os, sys
file = open(sys.argv[2], "w")
for number, line in enumerate(open(sys.argv[1])):
    row = json.loads(line)
    key = hashlib.sha256(line.encode()).hexdigest()
    file.write(json.dumps({"key": key, "id": row["id"], "response": "A"}) + "\\n")
    if number % 64 == 0:
        file.flush(); os.fsync(file.fileno())
"""


def main() -> None:
    """Measures, prints and writes the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--large", type=int, default=88_996)
    parser.add_argument("--shown", type=int, default=2_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        found = measure(Path(place), given.items, given.large, given.shown)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


def measure(place: Path, items: int, large: int, shown: int) -> dict[str, float | int]:
    """Returns CPU milliseconds an item, seconds of CPU to start, and MiB."""
    text, few = write(place / "text", items), write(place / "few", FEW)
    big = write(place / "big", large)
    pictures = write(place / "pictures", shown, picture=True)
    few_pictures = write(place / "few-pictures", FEW, picture=True)
    asking = ask(place)

    def each(task: Path, base: Path, count: int, *more: str, kind: str = "TEXT") -> float:
        spent, _ = asking(task, *more, kind=kind)
        return round(1000 * (spent - asking(base, *more, kind=kind)[0]) / (count - FEW), 4)

    floor, _ = spend([sys.executable, "-c", FLOOR, str(records(text)), str(place / "log")])
    whole, memory = asking(big)
    return {
        "items": items,
        "ms_text": each(text, few, items),
        "ms_text_cached": each(text, few, items, f"cache={place}/cache.sqlite"),
        "pictures": shown,
        "ms_picture_90kb": each(pictures, few_pictures, shown, kind="ENCODED"),
        "ms_floor": round(1000 * floor / items, 4),
        "large_items": large,
        "large_cpu_s": round(whole, 2),
        "large_rss_mb": round(memory, 1),
        "help_cpu_s": round(min(spend(command("--help"))[0] for _ in range(3)), 3),
        "tasks_cpu_s": round(min(spend(command("tasks"))[0] for _ in range(3)), 3),
    }


def write(out: Path, count: int, *, picture: bool = False) -> Path:
    """Writes a manifest of choices of about 300 characters; each with a picture of its own."""
    producer = Producer(package="bench", version="0", command="bench", settings="")
    with ManifestWriter(out, producer=producer) as writer:
        for number in range(count):
            images: tuple[Image, ...] = ()
            if picture:
                ref = writer.add_file(noise(), suffix=".png")
                images = (Image(path=ref.path, sha256=ref.sha256, width=SIDE, height=SIDE),)
            writer.write(
                Question(
                    id=f"bench/{number:020x}",
                    source=SOURCE,
                    modality="xray" if picture else "text",
                    images=images,
                    question=f"{number}: {STEM}",
                    options=tuple(
                        Option(letter=letter, text=f"the {letter} of the four") for letter in "ABCD"
                    ),
                    answer="A",
                    answer_kind="choice",
                )
            )
    return out


def records(manifest: Path) -> Path:
    """Returns the file of a manifest that holds its records."""
    return max(manifest.rglob("*.jsonl"), key=lambda path: path.stat().st_size)


def noise() -> bytes:
    """Returns a PNG file of 90 KB; noise does not compress."""
    buffer = io.BytesIO()
    Pillow.frombytes("L", (SIDE, SIDE), os.urandom(SIDE * SIDE)).save(buffer, "PNG")
    return buffer.getvalue()


def ask(place: Path) -> Callable[..., tuple[float, float]]:
    """Returns a function that asks a task once, in a folder of its own, without scoring."""
    count = 0

    def once(task: Path, *more: str, kind: str = "TEXT") -> tuple[float, float]:
        nonlocal count
        count += 1
        return spend([sys.executable, str(INSTANT), kind, str(task), f"{place}/out-{count}", *more])

    return once


def command(*words: str) -> list[str]:
    """Returns a command line of medevalkit."""
    return [sys.executable, "-m", "medevalkit", *words]


def spend(words: list[str]) -> tuple[float, float]:
    """Runs a command; returns its seconds of CPU and the most memory it had, in MiB."""
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise RuntimeError(f"{words} ended with {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
