"""Whether GRPO teaches the small model what its third stage left hard, and whether noise does not.

Takes a finished `lingshu run` of the nano recipe. Yes/no after reasoning is what that recipe leaves
hard: few of its questions come with a reasoning. Trains on such questions about the training
pictures, once with the rewards and once with the same rewards dealt out at random within each
rollout; measures greedily, before and after, on such questions about pictures never seen.

    python packages/lingshu-rl/bench/learning.py --run runs/nano [--seeds 0 1 2] [--rollouts 64]
"""

import argparse
import json
import math
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
for name, value in (("OMP_NUM_THREADS", "1"), ("HF_HUB_OFFLINE", "1")):
    os.environ.setdefault(name, value)
GAIN = 0.05


def main() -> None:
    """Prints a row a run, writes them as JSON; exit 1 where a bar is missed."""
    words = parser(__doc__)
    words.add_argument("--jobs", type=int, default=2, help="runs at the same time")
    words.add_argument("--kind", default="closed", help="the kind of answer that is hard")
    given = words.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        prompts = verifiable(given.run / "vqa", work / "prompts", given.kind, None)
        heldout = verifiable(given.run / "questions", work / "heldout", given.kind, given.asked)
        with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
            runs = [
                pool.submit(
                    row,
                    seed,
                    shuffled,
                    settings(given, seed, shuffled, prompts, heldout),
                    work / f"{seed}-{shuffled}",
                )
                for seed in given.seeds
                for shuffled in (False, True)
            ]
            for run in runs:
                rows.append(run.result())
                _say(rows[-1])
    missed = _judge(rows)
    (HERE / "results" / "learning.json").write_text(json.dumps(rows, indent=1) + "\n")
    sys.exit("\n".join(missed) or None)


def parser(described: str | None) -> argparse.ArgumentParser:
    """Returns the words that benches of this kind take."""
    words = argparse.ArgumentParser(description=described)
    words.add_argument(
        "--run", type=Path, required=True, help="a finished run of recipes/nano.toml"
    )
    words.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    words.add_argument("--rollouts", type=int, default=64)
    words.add_argument("--asked", type=int, default=400, help="held-out questions that are asked")
    words.add_argument("--set", action="append", default=[], help="a setting of the nano recipe")
    return words


def verifiable(source: Path, out: Path, kind: str, most: int | None) -> Path:
    """Curates the questions of one kind in a manifest; at most so many, drawn by chance."""
    from lingshu_core.manifest import Manifest, Producer
    from lingshu_core.manifest_writer import ManifestWriter
    from lingshu_core.recipe import load_recipe
    from lingshu_core.records import Question
    from lingshu_rl.curation import curate
    from lingshu_rl.settings import CurationRecipe

    manifest = Manifest(source)
    kept = [r for r in manifest if isinstance(r, Question) and r.answer_kind == kind]
    if most is not None and len(kept) > most:
        kept = random.Random(0).sample(kept, most)
    producer = Producer(package="bench", version="0", command="learning.py", settings="")
    picked = out.with_name(f"{out.name}-picked")
    with ManifestWriter(picked, producer=producer) as writer:
        for record in kept:
            writer.write(record, source=manifest)
    recipe = load_recipe(CurationRecipe, None, ['steps=[{use="gold"}]'])
    curate(recipe, [picked], out)
    return out


def settings(given: Any, seed: int, shuffled: bool, prompts: Path, heldout: Path) -> Any:
    """Returns the recipe of one run."""
    from lingshu_core.recipe import find_recipe, load_recipe
    from lingshu_rl.settings import TrainingRecipe

    words = [
        f"prompts={prompts}",
        f"heldout={heldout}",
        f"parent={given.run / 'instruction'}",
        f"batch.rollouts={given.rollouts}",
        # The recipe's own rate is for few prompts met again and again; here all are new.
        "optimizer.learning_rate=1e-4",
        f"seed={seed}",
        f"shuffle_rewards={str(shuffled).lower()}",
        *given.set,
    ]
    return load_recipe(TrainingRecipe, find_recipe("lingshu_rl", "nano"), words)


def row(seed: int, shuffled: bool, recipe: Any, out: Path) -> dict[str, Any]:
    """Trains, and returns what was measured before and after."""
    from lingshu_rl.logbook import Journal
    from lingshu_rl.training import train

    begun = time.monotonic()
    train(recipe, out)
    measured = Journal(out / "log" / "heldout.jsonl").read()
    rewards = [line["reward"] for line in Journal(out / "log" / "rollouts.jsonl").read()]
    before, after = measured[0], measured[-1]
    quarter = max(1, len(rewards) // 4)
    return {
        "seed": seed,
        "shuffled": shuffled,
        "n": before["n"],
        "before": round(before["accuracy"], 4),
        "after": round(after["accuracy"], 4),
        "gain": round(after["accuracy"] - before["accuracy"], 4),
        "topics_before": before["by_topic"],
        "topics_after": after["by_topic"],
        "reward_first_quarter": round(sum(rewards[:quarter]) / quarter, 4),
        "reward_last_quarter": round(sum(rewards[-quarter:]) / quarter, 4),
        "seconds": round(time.monotonic() - begun),
    }


def _say(row: dict[str, Any]) -> None:
    what = "shuffled" if row["shuffled"] else "rewards"
    print(
        f"| {row['seed']} | {what} | {row['n']} | {row['before']:.3f} | {row['after']:.3f} "
        f"| {row['gain']:+.3f} | {row['reward_first_quarter']:.3f} "
        f"| {row['reward_last_quarter']:.3f} | {row['seconds']} |",
        flush=True,
    )


def _judge(rows: list[dict[str, Any]]) -> list[str]:
    """Returns the bars that are missed: a gain a seed; no rise beyond chance over all controls."""
    missed = [
        f"seed {row['seed']}: gain {row['gain']:+.3f}, not {GAIN:+.2f}"
        for row in rows
        if not row["shuffled"] and row["gain"] < GAIN
    ]
    control = [row["gain"] for row in rows if row["shuffled"]]
    mean = sum(control) / len(control)
    share = rows[0]["before"]
    noise = 2 * math.sqrt(2 * share * (1 - share) / (rows[0]["n"] * len(control)))
    print(f"control: {mean:+.3f} in the mean; chance alone makes up to {noise:.3f}")
    return [*missed, *([f"the control rose by {mean:+.3f}"] if mean > noise else [])]


if __name__ == "__main__":
    main()
