"""Commands of medevalkit in processes of their own, and what came of a run's folder."""

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_APART = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
"""A process between: Linux counts the memory of who starts a process as that process's own."""

_HASHES = re.compile(r"(?:\w+/)*[0-9a-f]{64}")
_PLACES = re.compile(r"(?:/[\w.-]+)+/(?=[\w.-])")
_NUMBERS = re.compile(r"(?<=port=)\d+|(?<=127\.0\.0\.1:)\d+|0x[0-9a-f]+")
_LONGEST = 130


@dataclass(frozen=True)
class Told:
    """How a command ended."""

    exit: int
    said: str
    """The last line of its error stream, without what differs between machines."""
    mib: float
    """The most memory it had."""


def start(*words: str) -> "subprocess.Popen[bytes]":
    """Starts a command."""
    command = [sys.executable, "-m", "medevalkit", *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def tell(*words: str) -> Told:
    """Runs a command to its end."""
    command = [sys.executable, "-c", _APART, sys.executable, "-m", "medevalkit", *words]
    ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    lines = ran.stderr.splitlines() or [""]
    return Told(ran.returncode, shortened(lines[-1]), round(int(ran.stdout) / 1024, 1))


def shortened(text: str) -> str:
    """Returns words without folders, ports and addresses, and not too many of them."""
    plain = _NUMBERS.sub("…", _PLACES.sub("", _HASHES.sub("…", text)))
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"


def journaled(out: Path) -> dict[str, str | None]:
    """Returns by item why it has no answer; None where it has one."""
    path = out / "journal.jsonl"
    lines = path.read_bytes().split(b"\n")[1:-1] if path.is_file() else []
    said = [json.loads(line)["prediction"] for line in lines]
    return {one["item"]: one.get("error") for one in said}


def answered(out: Path) -> set[int]:
    """Returns the numbers of the items that have an answer in the journal."""
    return {int(item.split("/")[1], 16) for item, why in journaled(out).items() if why is None}


def outcome(out: Path, items: int) -> dict[str, int | str]:
    """Returns how many items were answered, and why most of the others were not."""
    found = journaled(out)
    reasons = Counter(shortened(why) for why in found.values() if why is not None)
    count = len(answered(out))
    because = reasons.most_common(1)[0][0] if reasons else ""
    return {"answered": count, "unanswered": items - count, "because": because}


def same(one: Path, other: Path) -> bool:
    """Says whether two runs have the same tables and the same records of scores."""
    return _tables(one) == _tables(other)


def _tables(out: Path) -> dict[str, bytes]:
    paths = [out / "scores.json", *sorted((out / "scores").rglob("*.jsonl"))]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}
