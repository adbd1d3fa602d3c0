"""`estimate` beside the memory that a real run takes on a processor, engine by engine.

Bar (issue 7, section 5): within 10 %. Each engine trains some steps of real rows in processes
of its own; measured is the greatest resident memory of a rank from the first row to the last
update (Linux's `VmHWM`, put back before the first), and estimated what `lingshu-train estimate`
prints.

    python packages/lingshu-train/bench/memory.py
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from _gpu_work import Scale, write_mixture

from lingshu_core.recipe import find_recipe, load_recipe
from lingshu_train.estimate import estimate_stage
from lingshu_train.initial import init_checkpoint
from lingshu_train.metrics import StepNote
from lingshu_train.settings import Shape, Stage

RESULTS = Path(__file__).parent / "results" / "memory.json"
BAR, STEPS = 0.10, 2
ALIGNED = {"vision": 1e-5, "projector": 1e-5}
SCALE = Scale("nano/model", 384, 60, 112, 0.12, STEPS, "float32")
CASES: dict[str, tuple[int, dict[str, object], dict[str, object]]] = {
    "plain PyTorch": (1, {"kind": "torch"}, {}),
    "plain PyTorch, activations computed twice": (1, {"kind": "torch", "checkpointing": True}, {}),
    "plain PyTorch, bfloat16": (1, {"kind": "torch"}, {"dtype": "bfloat16"}),
    "plain PyTorch on two ranks": (2, {"kind": "torch"}, {}),
    "ZeRO-1": (2, {"zero": 1}, {}),
    "ZeRO-2": (2, {"zero": 2}, {}),
    "ZeRO-2, language model frozen": (2, {"zero": 2}, {"rates": ALIGNED}),
    "ZeRO-2, optimizer offloaded": (2, {"zero": 2, "offload": "optimizer"}, {}),
    "ZeRO-3": (2, {"zero": 3}, {}),
    "ZeRO-3, optimizer offloaded": (2, {"zero": 3, "offload": "optimizer"}, {}),
    "ZeRO-3, parameters offloaded": (2, {"zero": 3, "offload": "parameters"}, {}),
    "ZeRO-2 as shipped": (2, {"zero": 2, "checkpointing": True}, {"dtype": "bfloat16"}),
    "ZeRO-3 as shipped": (2, {"zero": 3, "checkpointing": True}, {"dtype": "bfloat16"}),
}
"""Ranks, settings of the engine, other settings of the stage; the last two are as the recipes of 7B
and 32B have it."""


def shape() -> Shape:
    """Returns a model whose tensors outweigh the process: some 95 million parameters."""
    nano = load_recipe(Shape, find_recipe("lingshu_train", SCALE.shape))
    language = nano.language.model_copy(update={
        "layers": 3, "hidden": 768, "intermediate": 2048, "heads": 12, "kv_heads": 4,
        "vocabulary": 48_000, "tied": False,
    })  # fmt: skip
    return nano.model_copy(update={"language": language, "initializer_range": 0.02})


def stage_of(folder: Path, name: str) -> Stage:
    """Returns the stage that both sides are asked about."""
    _, engine, changes = CASES[name]
    return Stage.model_validate({
        "stage": "instruction",
        "parent": str(folder / "base"),
        "mixture": str(folder / "mixture"),
        "dtype": "float32",
        "epochs": 4,
        "rates": {**ALIGNED, "language": 1e-5},
        "batch": {"accumulation": 1},
        "sequence": {"max_length": SCALE.length},
        "packing": {"mode": "full"},
        "loss": {"norm": "token_row"},
        "engine": {"checkpointing": False, **engine},
        "data": {"workers": 0},
        **changes,
    })  # fmt: skip


class EnoughError(Exception):
    """All steps were taken."""


class Last:
    """Stands where the loop has its journal, and ends the run after some steps."""

    def step(self, note: StepNote) -> None:
        """Takes a step's note."""
        if note.step == STEPS:
            raise EnoughError


def rank(folder: Path, name: str) -> None:
    """Trains as one rank and says how much memory it took at most."""
    from lingshu_train.loop import train
    from lingshu_train.runner import assemble, open_sources
    from lingshu_train.world import joined

    with joined() as world, tempfile.TemporaryDirectory() as out:
        shared = world.gather(out)[0]
        stage = stage_of(folder, name)
        if world.first:
            print("estimated " + json.dumps(guess(stage, world.size)), flush=True)
        world.barrier()
        run = assemble(open_sources(stage, "bench", Path(str(shared)), world), world)
        if run.journal:
            run.journal.__exit__(None, None, None)
        run.journal = Last()  # type: ignore[assignment]
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        with suppress(EnoughError):
            train(run)
        most = _high_water()
        every = world.gather(most)
        if world.first:
            print("measured " + json.dumps(every), flush=True)


def _high_water() -> int:
    """Returns the greatest resident memory of this process, in bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise OSError("no VmHWM: this bench needs Linux")


def guess(stage: Stage, ranks: int) -> dict[str, float]:
    """Returns what `estimate` says, part by part, in bytes."""
    found = estimate_stage(stage, devices=ranks, device=None)
    parts = {**found.memory.device, **{f"{n} (host)": s for n, s in found.memory.host.items()}}
    return {**parts, "the process itself": found.process}


def compare(folder: Path, name: str) -> dict[str, Any]:
    """Runs an engine and compares."""
    ranks = CASES[name][0]
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
    me = [__file__, "--folder", str(folder), "--rank", name]
    said = _said([*(launch if ranks > 1 else []), *me])
    took, parts = said["measured"], said["estimated"]
    whole, most, process = sum(parts.values()), max(took), parts["the process itself"]
    return {
        "ranks": ranks,
        "measured_gb": round(most / 1e9, 3),
        "estimated_gb": round(whole / 1e9, 3),
        "off": round(whole / most - 1, 4),
        "off_without_the_process": round((whole - process) / (most - process) - 1, 4),
        "parts_gb": {part: round(size / 1e9, 3) for part, size in parts.items()},
    }


def _said(command: list[str]) -> dict[str, Any]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
    )
    found = {
        word: json.loads(line[line.index(word) + len(word) :])
        for line in done.stdout.splitlines()
        for word in ("estimated", "measured")
        if f"{word} " in line
    }
    if len(found) < 2:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-4000:])
    return found


def keep(name: str, entry: dict[str, Any]) -> None:
    """Writes a case beside those that are kept: each stands for itself, and all take long."""
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    known = {**known, name: entry}
    found = {case: known[case] for case in CASES if case in known}
    met = len(found) == len(CASES) and all(abs(e["off"]) <= BAR for e in found.values())
    RESULTS.write_text(json.dumps({**found, "met": met}, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    """Prints the figures, and says whether the bar is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rank", help="the engine that this process is a rank of")
    parser.add_argument("--only", nargs="*", default=list(CASES))
    given = parser.parse_args()
    if given.rank:
        rank(given.folder, given.rank)
        return 0
    torch.set_num_threads(1)
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not (folder / "base").is_dir():
            write_mixture(folder, SCALE)
            init_checkpoint(shape(), "bench", folder / "mixture", folder / "base")
        for name in given.only:
            found[name] = compare(folder, name)
            print(name, json.dumps(found[name]), flush=True)
            keep(name, found[name])
    return 0 if all(abs(entry["off"]) <= BAR for entry in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
