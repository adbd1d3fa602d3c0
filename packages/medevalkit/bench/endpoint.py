"""What a request over HTTP costs the harness: CPU milliseconds an item of the `openai` backend.

    python packages/medevalkit/bench/endpoint.py [--items 20000] [--shown 2000]

A small server in a process of its own answers every request at once; only our process counts, with
everything that it does for an item: prompt, body, request, answer, journal. Figures are CPU time
net of the start (the same command with 16 items), the least of some runs; beside them stand the
same items with a model in our process that answers at once. The difference is the request.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from overhead import FEW, INSTANT, spend, write
from peers import loop

from lingshu_core.recipe import load_recipe
from medevalkit.run import run
from medevalkit.settings import RunSettings

RESULTS = Path(__file__).parent / "results" / "endpoint.json"
SERVER = Path(__file__).parent / "_answering.py"
BAR = 0.8


def main() -> None:
    """Measures, prints and writes the result; ends with 1 where the bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--shown", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    before = loop()
    with tempfile.TemporaryDirectory() as name, served() as url:
        place = Path(name)
        text, few = write(place / "text", given.items), write(place / "few", FEW)
        shown = write(place / "shown", given.shown, picture=True)
        few_shown = write(place / "few-shown", FEW, picture=True)
        asking = processes(place, url, given.repeats)
        found: dict[str, float | int | list[float]] = {
            "items": given.items,
            "ms_text": each(asking("http"), text, few, given.items),
            "ms_text_in_process": each(asking("TEXT"), text, few, given.items),
            "pictures": given.shown,
            "ms_picture_90kb": each(asking("http"), shown, few_shown, given.shown),
            "ms_picture_90kb_in_process": each(asking("ENCODED"), shown, few_shown, given.shown),
        }
    found["loop_cpu_s"] = [before, loop()]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    if found["ms_text"] > BAR:
        sys.exit(f"missed: {BAR} ms")


@contextmanager
def served() -> Iterator[str]:
    """Yields the address of a server that answers at once."""
    with subprocess.Popen(
        [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        server.stdin.close()


def processes(place: Path, url: str, repeats: int) -> Callable[[str], Callable[[Path], float]]:
    """Returns what makes functions that ask a task in a process, and return its CPU seconds."""
    count = 0

    def of(kind: str) -> Callable[[Path], float]:
        def once(task: Path) -> float:
            nonlocal count
            count += 1
            told = [__file__, url] if kind == "http" else [str(INSTANT), kind]
            return spend([sys.executable, *told, str(task), f"{place}/out-{count}"])[0]

        return lambda task: min(once(task) for _ in range(repeats))

    return of


def each(seconds: Callable[[Path], float], task: Path, base: Path, count: int) -> float:
    """Returns CPU milliseconds an item, net of the start."""
    return round(1000 * (seconds(task) - seconds(base)) / (count - FEW), 4)


def ask(url: str, manifest: str, out: str) -> None:
    """Asks a task without scoring it."""
    words = ["model=openai:x", f'tasks=["manifest:{manifest}"]', f"endpoint.base_url={url}"]
    run(load_recipe(RunSettings, None, words), Path(out))


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].startswith("http"):
        ask(*sys.argv[1:])
    else:
        main()
