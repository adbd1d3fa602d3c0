"""Runs stages, kills them, and runs them again: what the resume tests start.

    python attacked.py ATTACKS.json

ATTACKS.json is a list of `{"words": [...], "out": folder, "ranks": n, "kill": null or {"signal": 9,
"step": 4, "delay": 0.02, "rank": null}}`. Each is one start of `lingshu-train WORDS` in as many
processes as there are ranks; several are told so by torchrun's variables. The libraries are
imported once, and every process is a fork of this one, so that a start takes no seconds.

Prints one JSON line a start: `{"statuses": [...], "steps": steps noted at the end}`. A status is
what a shell would see of a rank: 0, 2, 3, 4, or minus the signal that ended it.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any

os.environ["DS_ACCELERATOR"] = "cpu"
os.environ["OMP_NUM_THREADS"] = "1"

import deepspeed.runtime.zero.muon.muon_optimizer  # noqa: F401
import torch

from lingshu_train import cli, runner  # noqa: F401

PATIENCE = 20.0
"""Seconds that ranks have to end when another has: then they are killed, as torchrun does."""


def main() -> None:
    torch.set_num_threads(1)
    attacks = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    # An estimate loads what a run loads; without it every start would import it anew.
    _, recipe, *_ = attacks[0]["words"]
    cli.app(["estimate", recipe], standalone_mode=False)
    for attack in attacks:
        print(json.dumps(start(attack)), flush=True)


def start(attack: dict[str, Any]) -> dict[str, Any]:
    """Starts the ranks, kills them where that is asked for, and waits for their end."""
    port = free_port()
    ranks = [fork(attack, rank, port) for rank in range(attack["ranks"])]
    statuses: dict[int, int] = {}
    kill, first_end = attack["kill"], None
    while len(statuses) < len(ranks):
        statuses |= reap(set(ranks) - set(statuses))
        if kill and noted(attack["out"]) >= kill["step"]:
            time.sleep(kill["delay"])
            named = ranks if kill["rank"] is None else [ranks[kill["rank"]]]
            send(kill["signal"], set(named) - set(statuses))
            kill = None
        if statuses:
            first_end = first_end or time.monotonic()
            if time.monotonic() - first_end > PATIENCE:
                send(signal.SIGKILL, set(ranks) - set(statuses))
        time.sleep(0.002)
    return {"statuses": [statuses[pid] for pid in ranks], "steps": noted(attack["out"])}


def reap(pids: set[int]) -> dict[int, int]:
    """Returns the statuses of the processes that have ended."""
    found = {}
    for pid in pids:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            found[pid] = os.waitstatus_to_exitcode(status)
    return found


def send(number: int, pids: set[int]) -> None:
    """Sends a signal to processes that have not been waited for, so that their ids are theirs."""
    for pid in pids:
        os.kill(pid, number)


def fork(attack: dict[str, Any], rank: int, port: int) -> int:
    """Returns the id of a process that runs the command as one rank and leaves by its status."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        # Whoever ends this script ends its ranks too (PR_SET_PDEATHSIG).
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        # PyTorch's pool of threads does not survive a fork, and is made anew by whoever needs it
        # next: where two threads that load weights do at once, one finds none and fails.
        torch.set_num_threads(1)
        if attack["ranks"] > 1:  # one alone is started by plain python
            os.environ |= {
                "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(attack["ranks"]),
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
            }  # fmt: skip
        sys.argv = ["lingshu-train", *attack["words"]]
        cli.main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def noted(out: str) -> int:
    """Returns the last step that a run has noted."""
    path = Path(out) / "log/metrics.jsonl"
    if not path.is_file():
        return 0
    steps = 0
    for line in path.read_bytes().split(b"\n")[:-1]:
        note = json.loads(line)
        steps = note["step"] if note["kind"] == "step" else steps
    return steps


if __name__ == "__main__":
    main()
