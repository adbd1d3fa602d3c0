"""CPU of a call beside distilabel, curator and DataDesigner, each in an environment of its own.

Every client makes the same calls against the same mock endpoint at 50 ms with 64 in flight; what
is compared is the CPU time of its whole process tree, start-up included.

    python packages/lingshu-synth/bench/peers.py [--environments DIR]

Needs `uv` and a package index, or a folder with environments `distilabel`, `curator` and
`data-designer`. A peer that cannot be installed or that fails is named in the results.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from _mock import Mock, mock, save

HERE = Path(__file__).parent
PEERS = {
    "distilabel": ["distilabel[openai]==1.5.3", "requests"],
    "curator": ["bespokelabs-curator==0.1.31"],
    "data-designer": ["data-designer==0.9.6"],
}


def main() -> int:
    """Prints a table, writes the results and says whether ours takes the least."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--environments", type=Path)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("openai", "ours", *PEERS):
            python = _environment(name, options.environments or Path(folder))
            row = {"client": name, "failed": "cannot be installed"}
            if python is not None:
                row = run(name, python, options.calls)
            rows.append(row)
            print(row, flush=True)
    found = {str(row["client"]): row.get("cpu_ms") for row in rows}
    theirs = [float(ms) for name, ms in found.items() if name in PEERS and ms is not None]
    met = bool(theirs) and float(found["ours"] or 0) < min(theirs)
    save("peers", {"latency_s": 0.05, "in_flight": 64, "rows": rows, "met": met})
    return 0 if met else 1


def run(name: str, python: Path, calls: int) -> dict[str, object]:
    """Runs one client and returns what its processes took together."""
    with mock("--latency", 0.05) as (server, folder):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [str(python), *_words(name, server, calls, folder)],
            capture_output=True,
            text=True,
            timeout=400,
            cwd=folder,
            env=_quiet(folder),
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        answered = server.stats()["different"]
    if done.returncode or answered < calls:
        return {"client": name, "failed": done.stderr.strip()[-300:], "answered": answered}
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"client": name, "calls": calls, "cpu_ms": round(1000 * cpu / calls, 2)}


def _words(name: str, server: Mock, calls: int, folder: Path) -> list[str]:
    script = "_peer.py" if name in PEERS else "_client.py"
    return [str(HERE / script), name, server.url, str(calls), "64", str(folder)]


def _environment(name: str, folder: Path) -> Path | None:
    """Returns the Python of a client's environment, made where it is missing."""
    if name not in PEERS:
        return Path(sys.executable)
    python = folder / name / "bin" / "python"
    uv = shutil.which("uv") or next(iter(HERE.parents[2].glob(".tools/uv-*/bin/uv")), None)
    if python.exists() or uv is None:
        return python if python.exists() else None
    made = subprocess.run([str(uv), "venv", "-q", "--python", "3.11", str(folder / name)])
    told = ["pip", "install", "-q", "--python", str(python), *PEERS[name]]
    if made.returncode or subprocess.run([str(uv), *told]).returncode:
        return None
    return python


def _quiet(folder: Path) -> dict[str, str]:
    silent = {"OPENAI_API_KEY": "none-needed", "HOME": str(folder), "LINGSHU_PLUGINS": "0"}
    silent |= {"TELEMETRY_ENABLED": "0", "NEMO_TELEMETRY_ENABLED": "false", "DO_NOT_TRACK": "1"}
    silent |= {"CURATOR_DISABLE_RICH_DISPLAY": "1", "HF_HUB_OFFLINE": "1"}
    return {**os.environ, **silent}


if __name__ == "__main__":
    sys.exit(main())
