"""Killed at any step, the same command ends with the same bytes: every engine, one and two ranks.

`attacked.py` runs the real command line in real processes.
"""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lingshu_train.metrics import read_notes
from lingshu_train.plan import Plan
from lingshu_train.state import kept_steps, newest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

RECIPE = Path(__file__).with_name("attacked.toml").read_text(encoding="utf-8")
"""Ten steps an epoch."""

ENGINES = {
    "torch": ("engine.kind=torch",),
    "zero2": ("engine.kind=deepspeed", "engine.zero=2"),
    "zero3": ("engine.kind=deepspeed", "engine.zero=3"),
}
CASES = [(engine, ranks) for engine in ENGINES for ranks in (1, 2)]
HALVED = ("engine.kind=deepspeed", "dtype=bfloat16", "engine.checkpointing=true")
ENGINES |= {f"shipped{zero}": (*HALVED, f"engine.zero={zero}") for zero in (2, 3)}
SHIPPED = [("shipped2", 2), ("shipped3", 2)]
"""As the recipes of 7B and 32B have it: bfloat16, and activations computed again."""
EARLY = ("torch-1", "zero2-2")
KILL, TERM = int(signal.SIGKILL), int(signal.SIGTERM)


class Attacks:
    """Starts to be made, in order, and how they ended."""

    def __init__(self, folder: Path, recipe: Path) -> None:
        self.folder = folder
        self._recipe = recipe
        self._starts: list[dict[str, Any]] = []

    def add(
        self, name: str, engine: str, ranks: int, kill: dict[str, object] | None = None
    ) -> None:
        """Adds a start of the run `name`."""
        out = self.folder / name
        sets = [word for pair in ENGINES[engine] for word in ("--set", pair)]
        words = ["run", str(self._recipe), "--out", str(out), *sets]
        start = {"words": words, "out": str(out), "ranks": ranks, "kill": kill}
        self._starts.append(start)

    def run(self) -> dict[str, list[dict[str, Any]]]:
        """Makes them all; returns how each start of each run ended."""
        listing = self.folder / "attacks.json"
        listing.write_text(json.dumps(self._starts), encoding="utf-8")
        script = Path(__file__).with_name("attacked.py")
        done = subprocess.run(
            [sys.executable, str(script), str(listing)],
            capture_output=True, text=True, timeout=880, check=False,
        )  # fmt: skip
        lines = [line for line in done.stdout.splitlines() if line.startswith('{"statuses"')]
        assert len(lines) == len(self._starts), done.stderr[-4000:]
        ends: dict[str, list[dict[str, Any]]] = {}
        for start, line in zip(self._starts, lines, strict=True):
            end = {**json.loads(line), "said": done.stderr[-6000:]}
            ends.setdefault(Path(start["out"]).name, []).append(end)
        return ends


def blow(number: int, step: int, delay: float, rank: int | None = None) -> dict[str, object]:
    return {"signal": number, "step": step, "delay": delay, "rank": rank}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory, base: Path, mixture: Path) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE.format(parent=base, mixture=mixture), encoding="utf-8")
    return path


Found = tuple[Path, dict[str, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, recipe: Path) -> Found:
    """Runs of every engine on one and two ranks: each once in peace, and once killed twice.

    With SIGKILL at the border of the epochs, on two ranks one of them alone, and with SIGTERM in
    epoch 2. When in a step is drawn. Two are killed in epoch 1 besides, and one changes its ranks.
    """
    rng = random.Random(7)
    attacks = Attacks(tmp_path_factory.mktemp("runs"), recipe)
    for engine, ranks in CASES + SHIPPED:
        name = f"{engine}-{ranks}"
        attacks.add(f"{name}-calm", engine, ranks)
        if name in EARLY:
            attacks.add(name, engine, ranks, blow(KILL, rng.randint(2, 4), rng.uniform(0, 0.1)))
        alone = rng.randrange(ranks) if ranks > 1 else None
        attacks.add(
            name, engine, ranks, blow(KILL, rng.randint(9, 10), rng.uniform(0, 0.05), alone)
        )
        attacks.add(name, engine, ranks, blow(TERM, 15, rng.uniform(0, 0.03)))
        attacks.add(name, engine, ranks)
    attacks.add("moved", "torch", 1, blow(TERM, 4, 0.0))
    attacks.add("moved", "zero3", 2, blow(TERM, 10, 0.0))
    attacks.add("moved", "zero2", 1)
    return attacks.folder, attacks.run()


def same_bytes(one: Path, other: Path, names: Sequence[str]) -> bool:
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


@pytest.mark.parametrize(("engine", "ranks"), CASES + SHIPPED)
def test_a_killed_run_ends_with_the_same_bytes(attacked: Found, engine: str, ranks: int) -> None:
    folder, ends = attacked
    killed, calm = folder / f"{engine}-{ranks}", folder / f"{engine}-{ranks}-calm"
    *early, border, asked, last = ends[killed.name]
    assert [end["statuses"] for end in early] in ([], [[-KILL] * ranks]), border["said"]
    assert -KILL in border["statuses"] and 0 not in border["statuses"], border["said"]
    assert asked["statuses"] == [4] * ranks and 15 <= asked["steps"] < 20, asked["said"]
    assert last["statuses"] == [0] * ranks, last["said"]
    slots = [f"state/step-00000020/slots-{rank:05}-000.safetensors" for rank in range(ranks)]
    assert same_bytes(killed, calm, ["model.safetensors", *slots])
    curves = [[note.loss for note in read_notes(path)[0]] for path in (killed, calm)]
    assert curves[0] == curves[1] and len(curves[0]) == 20


def test_the_engines_agree(attacked: Found) -> None:
    """Six runs of one plan, that is: what is the same twice is not so for being nothing."""
    folder, _ = attacked
    curves = [
        [note.loss for note in read_notes(folder / f"{engine}-{ranks}")[0]]
        for engine, ranks in CASES
    ]
    for curve in curves[1:]:
        assert max(abs(a - b) for a, b in zip(curve, curves[0], strict=True)) <= 1e-5
    assert curves[0][-1] < curves[0][0]


def test_on_other_ranks_and_engines_no_sample_is_repeated_or_lost(attacked: Found) -> None:
    """Begun on one rank, on two from step 5 or so, with ZeRO-3, on one again with ZeRO-2."""
    folder, ends = attacked
    first, second, last = ends["moved"]
    assert first["statuses"] == [4] and second["statuses"] == [4, 4], second["said"]
    assert last["statuses"] == [0], last["said"]
    runs = [folder / name for name in ("moved", "torch-1-calm")]
    plans = [Plan.load(path / "state/plan.npz").digest() for path in runs]
    assert plans[0] == plans[1]
    moved, calm = (read_notes(path)[0] for path in runs)
    # A step's loss is the mean over its samples: one too many or too few would show.
    assert [note.samples for note in moved] == [note.samples for note in calm] == [4] * 20
    assert max(abs(a.loss - b.loss) for a, b in zip(moved, calm, strict=True)) <= 1e-5


def test_a_disk_that_is_full_on_two_ranks_stops_both_and_they_go_on(
    attacked: Found, recipe: Path, small_disk: Path
) -> None:
    """There is room for two checkpoints: the third stops the run, and the last good one stays."""
    attacks = Attacks(small_disk, recipe)
    attacks.add("full", "zero2", 2)
    ((full,),) = attacks.run().values()
    assert full["statuses"] == [4, 4] and "the disk is full" in full["said"], full["said"]
    kept = kept_steps(small_disk / "full/state")
    assert kept and kept[-1] <= full["steps"] < 20
    found = newest(small_disk / "full/state")
    assert found is not None and found[1].step == kept[-1]
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    ((again,),) = attacks.run().values()
    assert again["statuses"] == [0, 0], again["said"]
    calm = attacked[0] / "zero2-2-calm"
    assert same_bytes(small_disk / "full", calm, ["model.safetensors"])
