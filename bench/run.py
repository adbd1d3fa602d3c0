"""Runs the benches: all of them, or those that are named.

    python bench/run.py [NAME …]

A bench is a file in `bench/` or `packages/*/bench/` whose name does not begin with `_`; it runs
alone, prints a table, writes JSON into the folder `results` beside it, and fails where a bar is
missed. One that needs a run or a dataset of yours is named, not run: it says which by `--help`.
A name is `manifest_speed`, or `lingshu-core/manifest_speed` where two packages share it.
"""

import difflib
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
VERDICTS = {0: "passed", 2: "needs words"}
"""By exit status; argparse ends with 2 where a word is missing."""
FAILED = "FAILED"


def find() -> dict[str, Path]:
    """Returns every bench by its package and name."""
    found = {}
    for path in sorted([*ROOT.glob("bench/*.py"), *ROOT.glob("packages/*/bench/*.py")]):
        if path != Path(__file__) and not path.name.startswith("_"):
            found[f"{path.parent.parent.name}/{path.stem}"] = path
    return {name.removeprefix(f"{ROOT.name}/"): path for name, path in found.items()}


def choose(words: list[str], benches: dict[str, Path]) -> dict[str, Path]:
    """Returns the benches that are named, or all where none is; exits with 2 on an unknown name."""
    chosen = {}
    for word in words:
        named = {name: path for name, path in benches.items() if word in (name, path.stem)}
        if not named:
            stems = sorted({path.stem for path in benches.values()})
            near = difflib.get_close_matches(word, stems, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(stems)}"
            print(f"there is no bench {word!r}; {hint}", file=sys.stderr)
            sys.exit(2)
        chosen |= named
    return chosen or benches


def main() -> None:
    """Runs the benches one after the other and sums up."""
    rows = []
    for name, path in choose(sys.argv[1:], find()).items():
        print(f"== {name}", flush=True)
        start = time.monotonic()
        status = subprocess.run([sys.executable, path], cwd=ROOT, check=False).returncode
        rows.append((name, VERDICTS.get(status, FAILED), time.monotonic() - start))
    print(f"\n{'bench':44}{'':12}{'seconds':>9}")
    for name, verdict, seconds in rows:
        print(f"{name:44}{verdict:12}{seconds:>9.1f}")
    sys.exit(any(verdict == FAILED for _, verdict, _ in rows))


if __name__ == "__main__":
    main()
