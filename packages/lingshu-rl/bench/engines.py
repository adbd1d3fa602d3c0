"""Whether rollouts by vLLM teach the nano checkpoint what rollouts by transformers do.

The runs of `bench/learning.py` with each engine: yes/no after reasoning, from a finished nano run,
held-out accuracy before and after, measured greedily by transformers in both. Needs vLLM, so:

    .venv-engine/bin/python packages/lingshu-rl/bench/engines.py --run runs/nano [--seeds 0 1 2]
"""

import json
import math
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from learning import parser, row, settings, verifiable

HERE = Path(__file__).parent
ENGINES = {"hf": "transformers", "vllm": "vLLM"}


def main() -> None:
    """Prints a row a run, writes them as JSON; exit 1 where the engines differ beyond chance."""
    given = parser(__doc__).parse_args()
    rows, extra = [], list(given.set)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        prompts = verifiable(given.run / "vqa", work / "prompts", "closed", None)
        heldout = verifiable(given.run / "questions", work / "heldout", "closed", given.asked)
        for seed in given.seeds:
            for engine in ENGINES:
                given.set = [*extra, f"engine.name={engine}"]
                recipe = settings(given, seed, False, prompts, heldout)
                # A process of its own: an engine leaves threads and memory behind.
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                    found = pool.submit(row, seed, False, recipe, work / f"{seed}-{engine}")
                    rows.append({"engine": engine, **found.result()})
                print(rows[-1], flush=True)
    (HERE / "results" / "engines.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))
    if abs(gap(rows)) > chance(rows):
        sys.exit(f"the engines differ by {gap(rows):+.3f}, and chance makes {chance(rows):.3f}")


def table(rows: list[dict[str, Any]]) -> str:
    """Returns the table of the README."""
    lines = ["| seed | rollouts by | before | after | gain |", "|---|---|---|---|---|"]
    lines += [
        f"| {one['seed']} | {ENGINES[one['engine']]} | {one['before']:.3f} | {one['after']:.3f} "
        f"| {one['gain']:+.3f} |"
        for one in rows
    ]
    return "\n".join(lines)


def gap(rows: list[dict[str, Any]]) -> float:
    """Returns vLLM's accuracy less that of transformers, in the mean over seeds."""
    mean = {}
    for engine in ENGINES:
        after = [one["after"] for one in rows if one["engine"] == engine]
        mean[engine] = sum(after) / len(after)
    return mean["vllm"] - mean["hf"]


def chance(rows: list[dict[str, Any]]) -> float:
    """Returns what chance alone makes of the gap in 95 of 100 cases, questions taken as drawn."""
    share = sum(one["after"] for one in rows) / len(rows)
    n = sum(one["n"] for one in rows) / len(ENGINES)
    return 1.96 * math.sqrt(2 * share * (1 - share) / n)


if __name__ == "__main__":
    main()
