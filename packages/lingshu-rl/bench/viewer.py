"""The page of 100,000 answers in Chromium: made, opened, filtered, searched, scrolled.

    python packages/lingshu-rl/bench/viewer.py [--rollouts 98] [--pictures FOLDER]

Needs `playwright` and a Chromium on the path. The answers are drawn, and rewarded for real.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))
GROUPS = 64
REPLICAS = 16


def main() -> None:
    """Prints the table and writes it as JSON."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rollouts", type=int, default=98)
    words.add_argument("--pictures", type=Path, help="Where to leave pictures of the page.")
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = _measure(Path(folder), given.rollouts, given.pictures)
    for name, value in found.items():
        print(f"| {name.replace('_', ' ')} | {value} |")
    (HERE / "results" / "viewer.json").write_text(json.dumps(found, indent=1) + "\n")


def _measure(folder: Path, rollouts: int, pictures: Path | None) -> dict[str, Any]:
    import rl_rollouts
    import rl_toy

    from lingshu_rl.viewer import write_viewer

    run = rl_rollouts.write_run(
        folder / "run", rl_toy.questions(folder, 64), rollouts, GROUPS, REPLICAS
    )
    before = time.perf_counter()
    answers = write_viewer(run, folder / "page")
    took = time.perf_counter() - before
    data = sum(path.stat().st_size for path in (folder / "page" / "data").iterdir())
    found = {"answers": answers, "making_s": round(took, 1), "data_mb": round(data / 1e6, 1)}
    return found | _browse(folder / "page" / "index.html", pictures)


def _browse(page_file: Path, pictures: Path | None) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {}
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for width in (1280, 390):
            page = browser.new_page(viewport={"width": width, "height": 900})
            faults: list[str] = []
            page.on("console", lambda m, f=faults: f.append(m.text) if m.type == "error" else None)
            page.on("pageerror", lambda e, f=faults: f.append(str(e)))
            before = time.perf_counter()
            page.goto(page_file.as_uri())
            page.wait_for_selector("#detail .answer")
            found[f"opened_s_at_{width}"] = round(time.perf_counter() - before, 2)
            found |= {f"{k}_at_{width}": v for k, v in _use(page).items()}
            found[f"overflow_at_{width}"] = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            found[f"console_errors_at_{width}"] = len(faults)
            if pictures is not None:
                pictures.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=pictures / f"rollouts-{width}.png", full_page=True)
            page.close()
        browser.close()
    return found


def _use(page: Any) -> dict[str, float]:
    """Returns the median milliseconds of what one does with the page, in its own thread."""

    def event(element: str, value: str, kind: str = "input") -> Callable[[], float]:
        script = (
            f"() => {{ const e = document.getElementById('{element}'); const t = performance.now();"
            f" {value}; e.dispatchEvent(new Event('{kind}')); return performance.now() - t; }}"
        )
        return lambda: float(page.evaluate(script))

    acts = {
        "filter_ms": event("outcome", "e.value = e.value === 'mixed' ? '' : 'mixed'"),
        "sort_ms": event("order", "e.value = e.value === 'low' ? 'step' : 'low'"),
        "search_ms": event("search", "e.value = e.value ? '' : 'bright'"),
        "scroll_ms": event("list", "e.scrollTop = Math.random() * e.scrollHeight", "scroll"),
    }
    return {
        name: round(statistics.median(act() for _ in range(8)), 1) for name, act in acts.items()
    }


if __name__ == "__main__":
    main()
