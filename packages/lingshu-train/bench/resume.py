"""Runs that are killed again and again, beside the same run in peace: do they end bit-equal?

Bar (issue 7, sections 2 and "show it by"): bit-equal on every engine, on one rank and on two. Every
run takes two epochs of ten steps and is killed three times: with SIGKILL in epoch 1, with SIGKILL
at the border of the epochs (on two ranks only one of them, drawn), and with SIGTERM in epoch 2;
steps and moments are drawn from a seed. Compared are the weights, every rank's share of the
optimizer's states, and the loss of every step. `tests/attacked.py` starts and kills,
and `tests/attacked.toml` is what.

    python packages/lingshu-train/bench/resume.py --seed 0
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from _gpu_work import Scale, write_mixture

from lingshu_core.recipe import find_recipe, load_recipe
from lingshu_train.initial import init_checkpoint
from lingshu_train.metrics import read_notes
from lingshu_train.settings import Shape

RESULTS = Path(__file__).parent / "results" / "resume.json"
ATTACKED = Path(__file__).parents[1] / "tests" / "attacked.py"
STEPS, BATCH = 20, 4
SCALE = Scale("nano/model", 512, STEPS * BATCH // 2, 56, 0.05, STEPS, "float32")
ENGINES: dict[str, tuple[str, ...]] = {
    "plain PyTorch": ("engine.kind=torch",),
    "ZeRO-1": ("engine.zero=1",),
    "ZeRO-2": ("engine.zero=2",),
    "ZeRO-2, optimizer offloaded": ("engine.zero=2", "engine.offload=optimizer"),
    "ZeRO-3": ("engine.zero=3",),
    "ZeRO-3, parameters offloaded": ("engine.zero=3", "engine.offload=parameters"),
}
RECIPE = ATTACKED.with_suffix(".toml").read_text(encoding="utf-8")


def kills_of(rng: random.Random, ranks: int) -> list[dict[str, Any]]:
    """Draws the three kills of a run: `step` is the last that was noted before."""
    alone = rng.randrange(ranks) if ranks > 1 else None
    return [
        {"signal": int(signal.SIGKILL), "step": rng.randint(1, 7),
         "delay": rng.uniform(0, 0.1), "rank": None},
        {"signal": int(signal.SIGKILL), "step": rng.randint(9, 10),
         "delay": rng.uniform(0, 0.1), "rank": alone},
        {"signal": int(signal.SIGTERM), "step": rng.randint(13, 17),
         "delay": rng.uniform(0, 0.05), "rank": None},
    ]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """An engine on some ranks, and when it is killed."""

    engine: str
    ranks: int
    folder: Path
    kills: list[dict[str, Any]]

    def starts(self) -> list[dict[str, Any]]:
        """Returns the starts of the run in peace, and of the one that is killed and goes on."""
        sets = [word for pair in ENGINES[self.engine] for word in ("--set", pair)]
        found = []
        for out, kill in [("calm", None), *(("killed", kill) for kill in [*self.kills, None])]:
            path = str(self.folder / out)
            words = ["run", str(self.folder.parent / "recipe.toml"), "--out", path, *sets]
            found.append({"words": words, "out": path, "ranks": self.ranks, "kill": kill})
        return found


def ends_of(listing: Path, starts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Makes the starts, one after the other, and yields how each ended."""
    listing.write_text(json.dumps(starts), encoding="utf-8")
    said = listing.with_suffix(".log")
    with (
        said.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [sys.executable, str(ATTACKED), str(listing)],
            stdout=subprocess.PIPE, stderr=log, text=True,
        ) as running,
    ):  # fmt: skip
        assert running.stdout
        for line in running.stdout:
            if line.startswith('{"statuses"'):
                yield json.loads(line)
    if running.returncode:
        raise SystemExit(said.read_text(encoding="utf-8")[-4000:])


def row(case: Case, ends: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns how a run that was killed came out beside the one in peace.

    Args:
        case: What was run.
        ends: Of the start in peace, of each that was killed, and of the last.
    """
    calm, *killed, last = ends
    ended = calm["statuses"] == last["statuses"] == [0] * case.ranks
    return {
        "engine": case.engine,
        "ranks": case.ranks,
        "kills": [
            {"signal": signal.Signals(kill["signal"]).name, "after_step": end["steps"],
             "ranks": "all" if kill["rank"] is None else kill["rank"]}
            for kill, end in zip(case.kills, killed, strict=True)
        ],
        "all_landed": all(0 not in end["statuses"] for end in killed),
        "bit_equal": ended and equal(case.folder / "killed", case.folder / "calm", case.ranks),
    }  # fmt: skip


def equal(one: Path, other: Path, ranks: int) -> bool:
    """Says whether two runs have the same weights, states and curve."""
    shares = [f"state/step-{STEPS:08}/slots-{rank:05}-000.safetensors" for rank in range(ranks)]
    for name in ("model.safetensors", *shares):
        if (one / name).read_bytes() != (other / name).read_bytes():
            return False
    curves = [[note.loss for note in read_notes(folder)[0]] for folder in (one, other)]
    return curves[0] == curves[1] and len(curves[0]) == STEPS


def main() -> int:
    """Prints the table, writes it, and says whether every run came out bit-equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=list(ENGINES))
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_mixture(folder, SCALE)
        shape = load_recipe(Shape, find_recipe("lingshu_train", SCALE.shape))
        init_checkpoint(shape, "bench", folder / "mixture", folder / "base")
        recipe = RECIPE.format(parent=folder / "base", mixture=folder / "mixture")
        (folder / "recipe.toml").write_text(recipe, encoding="utf-8")
        cases = []
        for name in given.only:
            for ranks in (1, 2):
                kills = kills_of(random.Random(f"{name} {ranks} {given.seed}"), ranks)
                cases.append(Case(name, ranks, folder / f"{name} {ranks}", kills))
                cases[-1].folder.mkdir()
        starts = [start for case in cases for start in case.starts()]
        ends = ends_of(folder / "starts.json", starts)
        for case in cases:
            rows.append(row(case, list(islice(ends, len(case.kills) + 2))))
            print(json.dumps(rows[-1]), flush=True)
    met = all(entry["bit_equal"] and entry["all_landed"] for entry in rows)
    if given.only == list(ENGINES):
        found = {"seed": given.seed, "rows": rows, "met": met}
        RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
