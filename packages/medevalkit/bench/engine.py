"""What `medevalkit run` adds to vLLM: time an item beside a bare `LLM.generate`, same prompts.

    python packages/medevalkit/bench/engine.py [--items 300] [--repeats 6]

vLLM is looked for in this environment, then in the `.venv-engine` that `./run test-engine` makes.

A tiny Qwen2.5-VL of random weights on the CPU, every item with a picture of its own. The bare loop
has all pictures decoded before its clock starts; a run of ours reads, decodes, asks, journals and
writes the manifest of predictions. Wall time with warm engines, in turns in one process, every time
over new items; the ratio is that of the medians.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from overhead import write
from peers import loop

RESULTS = Path(__file__).parent / "results" / "engine.json"
TIMED = Path(__file__).parent / "_timed_vllm.py"
TESTS = Path(__file__).parent.parent / "tests" / "conftest.py"
BAR = 1.10
WARMING = 20


def main() -> None:
    """Measures, prints and writes the result; ends with 1 where the bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=300)
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
    bare, ours = ([pair[name] for pair in pairs] for name in ("bare", "ours"))
    found = {
        "items": given.items,
        "repeats": given.repeats,
        "bare_ms": round(1000 * median(bare) / given.items, 3),
        "ours_ms": round(1000 * median(ours) / given.items, 3),
        "ratio": round(median(ours) / median(bare), 3),
        "all_bare_s": [round(one, 2) for one in bare],
        "all_ours_s": [round(one, 2) for one in ours],
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
    spec = importlib.util.spec_from_file_location("tiny", TESTS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.make_tiny(folder)
    return folder


def measured(python: str, *words: Path) -> list[dict[str, float]]:
    """Returns what a process of its own measured, a pair of seconds for every manifest."""
    ran = subprocess.run(
        [python, str(TIMED), *map(str, words)], capture_output=True, text=True, check=False
    )
    lines = [line for line in ran.stdout.splitlines() if line.startswith("measured ")]
    if ran.returncode or not lines:
        raise RuntimeError(f"{words} ended with {ran.returncode}:\n{ran.stderr[-2000:]}")
    return [json.loads(line.removeprefix("measured ")) for line in lines]


if __name__ == "__main__":
    main()
