"""`lingshu-rl run` as a command of its own, on one rank or several."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

SMALL = (
    "batch.responses=4",
    "batch.rollout=4",
    "batch.update=2",
    "batch.micro=4",
    "batch.rollouts=4",
    "lengths.response=20",
    "save_every=1",
)


def command(
    out: Path, prompts: Path, parent: Path, *settings: str, ranks: int = 1, machines: int = 1
) -> list[str]:
    """Returns the words of a run; of several machines each is given the same."""
    start = [sys.executable]
    if ranks > 1:
        port = str(random.SystemRandom().randrange(20000, 60000))
        start += ["-m", "torch.distributed.run", "--nproc_per_node", str(ranks // machines)]
        if machines > 1:
            start += ["--nnodes", str(machines), "--rdzv_backend", "c10d"]
            start += ["--rdzv_endpoint", f"localhost:{port}"]
        else:
            start += ["--master_addr", "127.0.0.1", "--master_port", port]
    words = [*start, "-m", "lingshu_rl", "run", "nano", "--out", str(out)]
    for setting in (*SMALL, f"prompts={prompts}", f"parent={parent}", *settings):
        words += ["--set", setting]
    return words


def environment() -> dict[str, str]:
    """Returns the environment of a run: one thread a rank."""
    return os.environ | {"OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}


def finish(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs to the end; AssertionError with what was said where it fails."""
    run = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=600)
    assert run.returncode == 0, run.stderr[-4000:]
    return run


def kill_after(words: list[str], marks: Path, count: int, more: float) -> bool:
    """Runs until `marks` holds `count` lines and `more` seconds on, then sends SIGKILL.

    Returns:
        Whether it was killed before it ended.
    """
    process = subprocess.Popen(
        words,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
        start_new_session=True,
    )
    while process.poll() is None:
        if marks.is_file() and len(marks.read_text(encoding="utf-8").splitlines()) >= count:
            time.sleep(more)
            break
        time.sleep(0.01)
    ended = process.poll() is not None
    if not ended:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return not ended
