"""A checkpoint on published benchmarks, from their publishers' files to the page: the whole way.

    python packages/medevalkit/bench/real_runs.py --model CHECKPOINT \\
        --task vqa-rad=FOLDER --task pubmedqa=FOLDER [--limit N] [--keep OUT]

Every step is the command that a user gives: `prepare`, `run` with vLLM on the CPU, `score` under
all profiles, `report`. Then Chromium opens the page in two widths, and its complaints are counted.
The figures show that the way holds, not that the model is good.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from engine import engine_python
from overhead import spend

from lingshu_core.checkpoint import read_checkpoint

RESULTS = Path(__file__).parent / "results" / "real_runs.json"
PROFILES = ("strict", "official", "official-2025-06")
KEPT = ("n", "accuracy", "low", "high", "unparsed", "unanswered", "chance")
TOKENS = 32
FIXED = (
    *("engine.dtype=float32", "engine.pictures_per_item=1", "engine.arguments.enforce_eager=true"),
    *("engine.arguments.max_num_seqs=64", f"sampling.max_new_tokens={TOKENS}"),
)
WIDTHS = (1280, 390)
SCREEN_HEIGHT = 900
PATIENCE_MS = 60_000


def main() -> None:
    """Runs, prints and writes the result; ends with 1 where a page complains or does not fit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, help="a checkpoint of Lingshu")
    parser.add_argument("--task", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--limit", type=int, help="only the first items of each task")
    parser.add_argument("--keep", type=Path, help="where the run and its page stay")
    given = parser.parse_args()
    python = engine_python()
    if python is None or not given.model or not given.task:
        print("vLLM, a model and tasks are needed: nothing is measured")
        return
    os.environ |= {"VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    tasks = dict(one.split("=", 1) for one in given.task)
    with tempfile.TemporaryDirectory() as name:
        found = done(python, given, tasks, given.keep or Path(name))
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    if any(one["complaints"] or one["overflow_px"] for one in found["page"].values()):
        sys.exit("missed: a page that fits and complains about nothing")


def done(
    python: str, given: argparse.Namespace, tasks: dict[str, str], place: Path
) -> dict[str, Any]:
    """Goes the whole way; returns scores by task, CPU seconds by command, and the page's faults."""

    def medevalkit(*words: str) -> tuple[float, float]:
        return spend([python, "-m", "medevalkit", *words])

    data, run, seconds = place / "data", place / "run", {}
    seconds["prepare"] = sum(
        medevalkit("prepare", name, "--from", folder, "--data", str(data))[0]
        for name, folder in tasks.items()
    )
    words = ["--model", f"vllm:{given.model}", "--tasks", ",".join(tasks), "--data", str(data)]
    limit = [f"limit={given.limit}"] if given.limit else []
    settings = [word for one in (*FIXED, *limit) for word in ("-s", one)]
    seconds["run"], memory = medevalkit("run", *words, "--out", str(run), *settings)
    profiles = [word for one in PROFILES for word in ("--profile", one)]
    seconds["score"], _ = medevalkit("score", str(run), *profiles)
    page = place / "page"
    seconds["report"], _ = medevalkit("report", str(run), "--out", str(page))
    checkpoint = read_checkpoint(given.model)
    scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))
    return {
        "model": {"recipe": checkpoint.recipe, "stage": checkpoint.stage},
        "limit": given.limit,
        "max_new_tokens": TOKENS,
        "tasks": {name: scored(scores["rows"], name) for name in tasks},
        "cpu_s": {name: round(spent, 1) for name, spent in seconds.items()},
        "run_rss_mb": round(memory),
        "page": looked(page / "index.html"),
    }


def scored(rows: list[dict[str, Any]], task: str) -> dict[str, Any]:
    """Returns what every profile says of all items of a task."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        # The first row of a task is that of all its items, also where these are of one kind.
        if row["task"] == task and row["by"] is None:
            found.setdefault(row["profile"], {name: row[name] for name in KEPT})
    return found


def looked(page: Path) -> dict[int, dict[str, Any]]:
    """Returns, by width, what Chromium complains about and how far the page overflows."""
    from playwright.sync_api import sync_playwright

    found = {}
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        for width in WIDTHS:
            complaints: list[str] = []
            tab = browser.new_page(viewport={"width": width, "height": SCREEN_HEIGHT})
            tab.set_default_timeout(PATIENCE_MS)
            tab.on(
                "console", lambda m, to=complaints: to.append(m.text) if m.type == "error" else None
            )
            tab.on("pageerror", lambda error, to=complaints: to.append(str(error)))
            tab.goto(page.as_uri())
            tab.wait_for_selector("#detail .answer")
            tab.screenshot(path=page.parent / f"{width}.png", full_page=True)
            found[width] = {
                "items": tab.locator("#count").inner_text(),
                "complaints": complaints,
                "overflow_px": tab.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                ),
            }
            tab.close()
        browser.close()
    return found


if __name__ == "__main__":
    main()
