"""Compares the whole caption pipeline with the slowest of its operators alone, in CPU seconds.

The pipeline is the shipped recipe `lingshu/captions`, from a manifest to a manifest: reading and
validating, all operators, the ledger, the page, the output. Alone, each operator is asked in a bare
loop about records that stand in memory, as fast as it can answer; both take turns. Beside it, the
recipe for texts and the bytes that a record takes: `costs.py` computes from them what large
collections cost. As in the commands and their workers, OpenBLAS has one thread.

    python packages/lingshu-data/bench/pipeline.py
"""

import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported

import _corpus
import numpy as np

from lingshu_core.manifest import Manifest
from lingshu_core.recipe import find_recipe, load_recipe
from lingshu_data.curate import curate, plan
from lingshu_data.looks import Looks
from lingshu_data.operator import Grouping, Item, Local
from lingshu_data.passes import Planned
from lingshu_data.settings import CurateSettings, Running

RESULTS = Path(__file__).parent / "results" / "pipeline.json"
CAPTIONS, QUESTIONS, SIDE, ROUNDS, BAR = 3000, 4000, 512, 4, 0.7


def main() -> None:
    """Writes the measurements, and exits with 1 where the bar is missed."""
    recipes = {name: recipe(name) for name in ("captions", "texts")}
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        data = _corpus.write(place / "in", CAPTIONS, 0, SIDE)
        warm(data, place, recipes["captions"])
        whole, alone = in_turns(data, place / "out", recipes["captions"])
        texts = _corpus.write(place / "texts", 0, QUESTIONS)
        said = min(pipeline(texts, place / f"texts-{n}", recipes["texts"]) for n in range(ROUNDS))
        sizes = {"caption": bytes_each(data, CAPTIONS), "text": bytes_each(texts, QUESTIONS)}
    slowest = max(alone, key=lambda name: alone[name])
    found = {
        "captions": CAPTIONS,
        "side": SIDE,
        "pipeline_seconds": round(whole, 3),
        "alone_seconds": {name: round(seconds, 3) for name, seconds in alone.items()},
        "slowest": slowest,
        "share_of_its_speed": round(alone[slowest] / whole, 3),
        "texts": QUESTIONS,
        "texts_seconds": round(said, 3),
        "bytes_each": sizes,
        "key_bytes_each": {
            "caption": key_bytes(recipes["captions"]),
            "text": key_bytes(recipes["texts"]),
        },
    }
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))
    sys.exit("the bar is missed" if found["share_of_its_speed"] < BAR else 0)


def recipe(name: str) -> CurateSettings:
    """Returns a recipe that comes with the package."""
    return load_recipe(CurateSettings, find_recipe("lingshu_data", f"lingshu/{name}"))


def in_turns(data: Path, out: Path, settings: CurateSettings) -> tuple[float, dict[str, float]]:
    """Measures a pipeline and each of its operators alone, the least of several rounds."""
    whole, alone = [], defaultdict(list)
    for number in range(ROUNDS):
        whole.append(pipeline(data, out.with_name(f"{out.name}-{number}"), settings))
        for step in plan(settings):
            alone[step.label].append(operator(data, step))
    return min(whole), {name: min(seconds) for name, seconds in alone.items()}


def bytes_each(data: Path, records: int) -> dict[str, int]:
    """Returns the bytes that a record takes as a line, and in pictures."""
    lines = sum(path.stat().st_size for path in data.glob("part-*.jsonl"))
    pictures = sum(path.stat().st_size for path in data.rglob("*.jpg"))
    return {"line": lines // records, "pictures": pictures // records}


def key_bytes(settings: CurateSettings) -> int:
    """Returns the bytes of keys that a record takes in the working folder."""
    steps = (planned.step for planned in plan(settings))
    columns = [step.columns for step in steps if isinstance(step, Grouping)]
    return sum(np.dtype([tuple(column) for column in each]).itemsize for each in columns)


def warm(data: Path, place: Path, settings: CurateSettings) -> None:
    """Lets everything be imported before the clock runs."""
    pipeline(data, place / "warm", settings)


def pipeline(data: Path, out: Path, settings: CurateSettings) -> float:
    """Measures the whole run."""
    started = time.process_time()
    curate([data], out, settings, Running())
    return time.process_time() - started


def operator(data: Path, planned: Planned) -> float:
    """Measures one operator in a bare loop."""
    manifest = Manifest(data)
    looks = Looks(manifest)
    items = [Item(record, looks) for record in manifest]
    started = time.process_time()
    step = planned.step
    for item in items:
        if isinstance(step, Local):
            step.judge(item)
        elif isinstance(step, Grouping):
            step.keys(item)
    return time.process_time() - started


if __name__ == "__main__":
    main()
