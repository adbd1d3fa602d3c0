"""How fast manifests are read and written beside bare pydantic, and in how much memory.

Bars (issue 2, section 2): reading with validation at least 60 % of the speed of a bare
`validate_json` loop over the same lines, writing at least 80 % of bare dumping, both as CPU time
in the same run; validating 2,000,000 records takes at most 5 MB more than validating 20,000.

    python packages/lingshu-core/bench/manifest_speed.py
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.modality import Modality
from lingshu_core.records import RECORD, Operation, Option, Question, Source, dump_line

RESULTS = Path(__file__).parent / "results" / "manifest_speed.json"
READING, WRITING, MEMORY_MB = 0.6, 0.8, 5.0
TEXT = (
    "the frontal chest radiograph shows no focal consolidation pleural effusion or pneumothorax "
    "while heart size is within normal limits and the mediastinal contours are unremarkable"
)
WORDS = TEXT.split()
PRODUCER = Producer(package="bench", version="0", command="manifest_speed", settings="")
MEASURE = """
import sys
from lingshu_core.manifest import Manifest
from lingshu_core.validation import validate
found = validate(Manifest(sys.argv[1]))
assert not found.faults, found.faults[0]
# Not `ru_maxrss`, which counts what the parent held when it forked.
(peak,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(found.records, peak.split()[1])
"""


def record(number: int, rng: random.Random) -> Question:
    """Returns a multiple-choice question of about 1 KB, as synthesis writes it."""
    return Question(
        id=f"bench/{number:020}",
        source=Source(dataset="bench", licence="CC-BY-4.0", split="train", group=f"g{number // 3}"),
        modality=Modality.XRAY,
        question=" ".join(rng.choices(WORDS, k=24)) + "?",
        answer="B",
        answer_kind="choice",
        options=tuple(Option(letter=x, text=" ".join(rng.choices(WORDS, k=5))) for x in "ABCD"),
        rationale=" ".join(rng.choices(WORDS, k=18)),
        tags={"topic": "findings", "body_part": "chest"},
        provenance=(
            Operation(package="lingshu-synth", version="0.1.0", operation="vqa", settings="0" * 64),
        ),
    )


def cpu_seconds(work: Callable[[], None]) -> float:
    """Returns the CPU time of this process for a piece of work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def ratio(bare: Callable[[], None], ours: Callable[[], None], rounds: int) -> dict[str, float]:
    """Returns how fast ours is beside the bare loop: the median of rounds that run both in turn."""
    pairs = [(cpu_seconds(bare), cpu_seconds(ours)) for _ in range(rounds)]
    return {
        "bare_s": min(pair[0] for pair in pairs),
        "ours_s": min(pair[1] for pair in pairs),
        "ratio": statistics.median(bare / ours for bare, ours in pairs),
    }


def measure_reading(folder: Path, rounds: int) -> dict[str, float]:
    """Compares iterating over a manifest with a bare loop over the lines of its parts."""

    def bare() -> None:
        for part in sorted(folder.glob("part-*.jsonl")):
            with part.open("rb") as file:
                for line in file:
                    RECORD.validate_json(line)

    def ours() -> None:
        for _ in Manifest(folder):
            pass

    return ratio(bare, ours, rounds)


def measure_writing(folder: Path, records: list[Question], rounds: int) -> dict[str, float]:
    """Compares the writer with bare dumping into a file."""

    def bare() -> None:
        with (folder / "bare.jsonl").open("wb") as file:
            for item in records:
                file.write(RECORD.dump_json(item, exclude_none=True))
                file.write(b"\n")

    numbers = iter(range(rounds))

    def ours() -> None:
        with ManifestWriter(folder / f"ours-{next(numbers)}", producer=PRODUCER) as writer:
            for item in records:
                writer.write(item)

    return ratio(bare, ours, rounds)


def measure_memory(folder: Path, counts: tuple[int, int]) -> list[dict[str, float]]:
    """Validates manifests of two sizes, each in a process of its own."""
    rng = random.Random(0)
    pool = [record(number, rng) for number in range(1000)]
    rows = []
    for count in counts:
        path = folder / f"memory-{count}"
        with ManifestWriter(path, producer=PRODUCER) as writer:
            for number in range(count):
                # Ids differ, as they have to; the rest repeats.
                item = pool[number % len(pool)].model_copy(update={"id": f"bench/{number:020}"})
                writer.write(item)
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True
        )
        found, kib = map(int, done.stdout.split())
        assert found == count
        rows.append({"records": count, "peak_mb": kib / 1024})
    return rows


def main() -> None:
    """Measures, prints a table, writes the results, and fails where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=40_000, help="for the two speeds")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--large", type=int, default=2_000_000, help="for the memory")
    words = parser.parse_args()
    rng = random.Random(0)
    records = [record(number, rng) for number in range(words.records)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writing = measure_writing(folder, records, words.rounds)
        reading = measure_reading(folder / "ours-0", words.rounds)
        memory = measure_memory(folder, (20_000, words.large))
    grown = memory[1]["peak_mb"] - memory[0]["peak_mb"]
    result = {
        "bytes_per_record": len(dump_line(records[0])) + 1,
        "records": words.records,
        "reading": reading,
        "writing": writing,
        "validating": memory,
        "grown_mb": grown,
    }
    passed = reading["ratio"] >= READING and writing["ratio"] >= WRITING and grown <= MEMORY_MB
    print(f"{'':30}{'bare':>10}{'ours':>10}{'ratio':>8}{'bar':>8}")
    for title, row, bar in (("reading", reading, READING), ("writing", writing, WRITING)):
        per_record = [f"{1e6 * row[key] / words.records:.2f} us" for key in ("bare_s", "ours_s")]
        print(f"{title + ' one record':30}{per_record[0]:>10}{per_record[1]:>10}", end="")
        print(f"{row['ratio']:>8.2f}{'≥ ' + str(bar):>8}")
    for row in memory:
        title = f"validating {row['records']:,} records"
        print(f"{title:50}{row['peak_mb']:>8.1f} MB")
    print(f"{'grown by':50}{grown:>8.1f} MB (bar: ≤ {MEMORY_MB} MB)")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**result, "passed": passed}, indent=2) + "\n", encoding="utf-8")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
