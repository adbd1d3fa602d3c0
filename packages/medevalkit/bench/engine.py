"""What `medevalkit run` adds to vLLM: time an item beside a bare `LLM.generate`, same prompts.

    python packages/medevalkit/bench/engine.py [--items 400] [--repeats 6]

vLLM is looked for in this environment, then in the `.venv-engine` that `./run test-engine` makes.

A tiny Qwen2.5-VL of random weights on the CPU, every item with a picture of its own. The bare loop
has all pictures decoded before its clock starts; a run of ours reads, decodes, asks, journals and
writes the manifest of predictions. Both engines are warm and take turns in one process, every time
over new items. The time is that of all processes on the CPU, engines included, which others on the
machine disturb least. An engine that has just rested is up to a third slower than one that has
just worked, so every turn begins with the other one, and the ratio is that of all
turns together. That by the clock stands beside it.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from _conftest import tests
from overhead import write
from peers import loop

RESULTS = Path(__file__).parent / "results" / "engine.json"
TIMED = Path(__file__).parent / "_timed_vllm.py"
BAR = 1.10
WARMING = 20
Pair = dict[str, dict[str, float]]
"""By `bare` and `ours`, the seconds by the `wall` clock and on the `cpu`."""


def main() -> None:
    """Measures, prints and writes the result; ends with 1 where the bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=6)
    given = parser.parse_args()
    python = engine_python()
    if python is None:
        print("vLLM is in neither environment: nothing is measured")
        return
    os.environ |= {"VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    before = loop()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        warming = write(place / "warming", WARMING, picture=True)
        tasks = [
            write(place / f"task-{number}", given.items, picture=True)
            for number in range(given.repeats)
        ]
        pairs = measured(python, tiny(place / "model"), place / "out", warming, *tasks)
    found = {
        "items": given.items,
        "repeats": given.repeats,
        **{f"{name}_ms": milliseconds(pairs, name, given.items) for name in ("bare", "ours")},
        "ratio": ratio(pairs, "cpu"),
        "wall_ratio": ratio(pairs, "wall"),
        "turns": pairs,
        "loop_cpu_s": [before, loop()],
    }
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    if found["ratio"] > BAR:
        sys.exit(f"missed: {BAR}")


def engine_python() -> str | None:
    """Returns the interpreter of an environment with vLLM."""
    if importlib.util.find_spec("vllm"):
        return sys.executable
    other = Path(__file__).parents[3] / ".venv-engine" / "bin" / "python"
    return str(other) if other.is_file() else None


def tiny(folder: Path) -> Path:
    """Writes the tiny model that the tests use."""
    tests().make_tiny(folder)
    return folder


def milliseconds(pairs: list[Pair], name: str, items: int) -> float:
    """Returns the mean CPU milliseconds of an item."""
    return round(1000 * total(pairs, name, "cpu") / len(pairs) / items, 2)


def ratio(pairs: list[Pair], clock: str) -> float:
    """Returns how long ours took in all turns, as a multiple of how long bare loops took."""
    return round(total(pairs, "ours", clock) / total(pairs, "bare", clock), 3)


def total(pairs: list[Pair], name: str, clock: str) -> float:
    """Returns the seconds of one in all turns."""
    return sum(pair[name][clock] for pair in pairs)


def measured(python: str, *words: Path) -> list[Pair]:
    """Returns what a process of its own measured, a pair of times for every manifest."""
    ran = subprocess.run(
        [python, str(TIMED), *map(str, words)], capture_output=True, text=True, check=False
    )
    lines = [line for line in ran.stdout.splitlines() if line.startswith("measured ")]
    if ran.returncode or not lines:
        raise RuntimeError(f"{words} ended with {ran.returncode}:\n{ran.stderr[-2000:]}")
    return [json.loads(line.removeprefix("measured ")) for line in lines]


if __name__ == "__main__":
    main()
