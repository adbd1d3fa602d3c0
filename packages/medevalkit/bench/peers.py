"""CPU time of the harness for an item, beside other frameworks, in one run on one machine.

    python packages/medevalkit/bench/peers.py --lm-eval PYTHON --lmms-eval PYTHON --inspect PYTHON

Each `PYTHON` is the interpreter of an environment that holds the framework; one that is left out is
not measured. The same choices of about 300 characters, in each framework's own format, are answered
by its own model that answers at once; logs of every item are on. Every figure is the CPU time of a
process, less that of the same command with 16 items; what a framework needs to start stands apart.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from overhead import FEW, STEM, ask, spend, write

RESULTS = Path(__file__).parent / "results" / "peers.json"
LOOPS = 10_000_000
NAME = "choices_made_up"
"""Of the task; no folder may be called so where this runs: lmms-eval would read that instead."""
_TASK = """task: {name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {rows}
test_split: test
output_type: generate_until
{more}doc_to_text: {text}
doc_to_target: "{{{{answer}}}}"
generation_kwargs:
  until: ["\\n\\n"]
  max_gen_toks: 16
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
metadata:
  version: 0
"""
_LMMS = """
def visual(doc):
    return []


def text(doc, kwargs=None):
    return doc["prompt"]
"""
_INSPECT = """
import sys
from inspect_ai import Task, eval, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate
import json


def outputs():
    while True:
        output = ModelOutput.from_content("mockllm/model", "A")
        # Without a usage the mock counts tokens, with an encoding that is fetched from the network.
        output.usage = ModelUsage(input_tokens=80, output_tokens=1, total_tokens=81)
        yield output


rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
samples = [Sample(input=r["prompt"], target=r["answer"], id=r["id"]) for r in rows]
told = {"log_realtime": False, "max_connections": 256} if sys.argv[3] == "fast" else {}
(log,) = eval(
    Task(dataset=MemoryDataset(samples), solver=generate(), scorer=match()),
    model=get_model("mockllm/model", custom_outputs=outputs()),
    log_dir=sys.argv[2],
    display="none",
    **told,
)
sys.exit(log.status != "success")
"""
Command = Callable[[Path, Path], list[str]]
"""Returns a command line for a file of rows and an empty folder."""


def main() -> None:
    """Measures, prints and writes the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--slow-items", type=int, default=2_000, help="for inspect-ai")
    for name in ("lm-eval", "lmms-eval", "inspect"):
        parser.add_argument(f"--{name}", type=Path)
    given = parser.parse_args()
    if not (given.lm_eval or given.lmms_eval or given.inspect):
        print("no other framework is given: nothing is measured")
        return
    # Nothing is fetched, and no cache of the user's is touched.
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.environ |= {"HF_HOME": f"{place}/hf", "XDG_DATA_HOME": f"{place}/share"}
        found: dict[str, Any] = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "loop_cpu_s_before": loop(),
            "frameworks": dict(measured(place, given)),
            "loop_cpu_s_after": loop(),
        }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    ours_ms, *others = (one["ms"] for one in found["frameworks"].values())
    if ours_ms >= min(others):
        sys.exit(f"missed: below {min(others)} ms")


def loop() -> float:
    """Returns the CPU seconds of ten million additions: how fast the machine is just now."""
    begun, total = time.process_time(), 0
    for number in range(LOOPS):
        total += number
    return round(time.process_time() - begun, 3)


def measured(place: Path, given: argparse.Namespace) -> Iterator[tuple[str, dict[str, float]]]:
    """Yields every framework with its figures."""
    yield "medevalkit", ours(place, given.items)
    if given.lm_eval:
        yield "lm-eval", each(place, lm_eval(given.lm_eval, place), given.items)
    if given.lmms_eval:
        yield "lmms-eval", each(place, lmms_eval(given.lmms_eval, place), given.items)
    if given.inspect:
        for kind in ("defaults", "fast"):
            command = inspect(given.inspect, place, kind)
            yield f"inspect-ai, {kind}", each(place, command, given.slow_items)


def ours(place: Path, items: int) -> dict[str, float]:
    """Returns our figures: a process that runs as the command does, and scores nothing."""
    asking = ask(place)
    base = write(place / "few", FEW)
    asking(base)
    few, _ = asking(base)
    many, memory = asking(write(place / "many", items))
    return figures(many, few, items, memory)


def each(place: Path, command: Command, items: int) -> dict[str, float]:
    """Returns the figures of a framework."""
    spent = []
    # The first start compiles and fills caches; it counts for nobody.
    for count in (FEW, FEW, items):
        rows = place / f"rows-{count}.jsonl"
        rows.write_text("".join(row(number) for number in range(count)), encoding="utf-8")
        with tempfile.TemporaryDirectory(dir=place) as out:
            spent.append(spend(command(rows, Path(out))))
            # lmms-eval ends with 0 where it has failed: only its log tells.
            if (found := answered(Path(out) / "logs")) != count:
                raise RuntimeError(f"{rows}: {found} of {count} items stand in the log")
    _, (few, _), (many, memory) = spent
    return figures(many, few, items, memory)


def answered(logs: Path) -> int:
    """Returns the items in the logs that a framework has written."""
    rows = sum(len(path.read_bytes().splitlines()) for path in logs.rglob("*samples_*.jsonl"))
    for path in logs.rglob("*.eval"):
        with ZipFile(path) as log:
            rows += sum(name.startswith("samples/") for name in log.namelist())
    return rows


def figures(many: float, few: float, items: int, memory: float) -> dict[str, float]:
    """Returns CPU milliseconds an item, CPU seconds to start, and MiB."""
    return {
        "items": items,
        "ms": round(1000 * (many - few) / (items - FEW), 4),
        "start_cpu_s": round(few, 2),
        "rss_mb": round(memory, 1),
    }


def row(number: int) -> str:
    """Returns an item as a line: the words that our choices have, rendered."""
    options = "\n".join(f"{letter}. the {letter} of the four" for letter in "ABCD")
    prompt = f"{number}: {STEM}\n{options}\nAnswer with one letter."
    return json.dumps({"id": f"{number:020x}", "prompt": prompt, "answer": "A"}) + "\n"


def lm_eval(python: Path, place: Path) -> Command:
    """Returns how lm-evaluation-harness is started, with its `dummy` model."""

    def command(rows: Path, out: Path) -> list[str]:
        (out / "bench.yaml").write_text(
            _TASK.format(name=NAME, rows=rows, more="", text='"{{prompt}}"'), encoding="utf-8"
        )
        return [
            *(str(python), "-m", "lm_eval", "run", "--model", "dummy", "--tasks", NAME),
            *("--include_path", str(out), "--log_samples", "--output_path", f"{out}/logs"),
        ]

    return command


def lmms_eval(python: Path, place: Path) -> Command:
    """Returns how lmms-eval is started, with its `dummy` model."""

    def command(rows: Path, out: Path) -> list[str]:
        (out / "calls.py").write_text(_LMMS, encoding="utf-8")
        more = "doc_to_visual: !function calls.visual\n"
        (out / "bench.yaml").write_text(
            _TASK.format(name=NAME, rows=rows, more=more, text="!function calls.text"),
            encoding="utf-8",
        )
        return [
            *(str(python), "-m", "lmms_eval", "--model", "dummy", "--tasks", NAME),
            *("--include_path", str(out), "--log_samples", "--output_path", f"{out}/logs"),
            *("--batch_size", "1"),
        ]

    return command


def inspect(python: Path, place: Path, kind: str) -> Command:
    """Returns how inspect-ai is started, with its `mockllm`."""
    script = place / "inspect_bench.py"
    script.write_text(_INSPECT, encoding="utf-8")
    return lambda rows, out: [str(python), str(script), str(rows), f"{out}/logs", kind]


if __name__ == "__main__":
    main()
