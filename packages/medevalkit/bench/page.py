"""What the page costs for as many items as the largest benchmark has: written, opened, searched.

    python packages/medevalkit/bench/page.py [--items 88996]

The items are those of `scoring.py`. The first view is the time from the address to the first item
with its answer, in headless Chromium; the search types words that stand in the last item alone and
so reads every part of the page.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from overhead import spend
from scoring import write

from lingshu_core.recipe import load_recipe
from medevalkit.run import run
from medevalkit.settings import RunSettings

RESULTS = Path(__file__).parent / "results" / "page.json"
MIXED = Path(__file__).parent / "scoring.py"
PATIENCE_MS = 180_000


def main() -> None:
    """Measures, prints and writes the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=88_996)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        found = measure(Path(place), given.items)
    given.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


def measure(place: Path, items: int) -> dict[str, float | int]:
    """Returns seconds and MiB."""
    task = write(place / "task", items)
    words = [f"model={MIXED}:MIXED:x", f'tasks=["manifest:{task}"]']
    run(load_recipe(RunSettings, None, words), place / "out")
    spend([sys.executable, "-m", "medevalkit", "score", str(place / "out")])
    page = place / "page"
    began = time.monotonic()
    cpu, memory = spend(
        [sys.executable, "-m", "medevalkit", "report", str(place / "out"), "--out", str(page)]
    )
    written = time.monotonic() - began
    files = [path for path in page.rglob("*") if path.is_file()]
    return {
        "items": items,
        "written_s": round(written, 2),
        "written_cpu_s": round(cpu, 2),
        "written_rss_mb": round(memory, 1),
        "files": len(files),
        "mb": round(sum(path.stat().st_size for path in files) / 2**20, 1),
        **looked(page / "index.html", items),
    }


def looked(page: Path, items: int) -> dict[str, float]:
    """Returns the seconds that a reader waits in Chromium."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.set_default_timeout(PATIENCE_MS)
        tab.goto("about:blank")
        began = time.monotonic()
        tab.goto(page.as_uri())
        tab.wait_for_selector("#detail .answer")
        found = {"first_view_s": round(time.monotonic() - began, 2)}
        for name, words in (("search", f"{items - 1}: A patient"), ("again", f"{items - 2}: A p")):
            began = time.monotonic()
            tab.fill("#words", words)
            tab.wait_for_function("document.getElementById('count').innerText.startsWith('1 of ')")
            found[f"{name}_s"] = round(time.monotonic() - began, 2)
            tab.fill("#words", "")
            tab.wait_for_function(
                f"document.getElementById('count').innerText.startsWith('{items:,} of ')"
            )
        began = time.monotonic()
        tab.select_option("#verdict", label="unparsed")
        tab.wait_for_function(
            f"!document.getElementById('count').innerText.startsWith('{items:,} of ')"
        )
        found["filter_s"] = round(time.monotonic() - began, 2)
        browser.close()
    return found


if __name__ == "__main__":
    main()
