"""Time of a step beside TRL's GRPOTrainer alone, with the same settings, prompts and rewards.

Both train the same tiny Qwen2.5-VL on the same pictures, in turns in one process; CPU seconds of
the later steps are compared, since the first holds what is done once.

    python packages/lingshu-rl/bench/overhead.py [--rounds 3] [--rollouts 6]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))
for name, value in (("OMP_NUM_THREADS", "1"), ("HF_HUB_OFFLINE", "1"), ("DS_ACCELERATOR", "cpu")):
    os.environ.setdefault(name, value)


def main() -> None:
    """Prints the ratio and writes it as JSON."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--rollouts", type=int, default=6)
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = _measure(Path(folder), given.rounds, given.rollouts)
    ours, theirs = (statistics.median(row[side] for row in rows) for side in ("ours", "trl"))
    result = {"rows": rows, "ours": ours, "trl": theirs, "ratio": round(ours / theirs, 4)}
    print("| CPU seconds a step | median |\n|---|---|")
    print(f"| TRL 1.16 alone | {theirs:.3f} |\n| lingshu-rl | {ours:.3f} |")
    print(f"\nratio {result['ratio']:.3f} (bar: at most 1.05)")
    (HERE / "results" / "overhead.json").write_text(json.dumps(result, indent=1) + "\n")


def _measure(folder: Path, rounds: int, rollouts: int) -> list[dict[str, float]]:
    import rl_toy

    manifest = rl_toy.questions(folder, 64)
    parent = rl_toy.checkpoint(folder / "parent", manifest, steps=110)
    rows = []
    for number in range(rounds):
        recipe = _recipe(manifest, parent, rollouts)
        row = {}
        # In turns, so that neither always comes second.
        for side in ("ours", "trl") if number % 2 == 0 else ("trl", "ours"):
            out = folder / f"{side}-{number}"
            row[side] = _ours(recipe, out) if side == "ours" else _trl(recipe, out)
        print(f"round {number}: {row}", file=sys.stderr)
        rows.append(row)
    return rows


def _recipe(manifest: Path, parent: Path, rollouts: int) -> Any:
    from lingshu_core.recipe import find_recipe, load_recipe
    from lingshu_rl.settings import TrainingRecipe

    settings = [
        f"prompts={manifest}",
        f"parent={parent}",
        f"batch.rollouts={rollouts}",
        "batch.responses=8",
        "batch.rollout=8",
        "batch.update=4",
        "batch.micro=16",
        "lengths.response=24",
    ]
    return load_recipe(TrainingRecipe, find_recipe("lingshu_rl", "nano"), settings)


def _ours(recipe: Any, out: Path) -> float:
    from lingshu_rl.training import make_trainer

    return _per_step(make_trainer(recipe, out))


def _trl(recipe: Any, out: Path) -> float:
    """The same run as TRL's documentation has it: rows with pictures, reward functions, train."""
    from datasets import Dataset, Features, Image, Sequence, Value
    from transformers import PrinterCallback
    from trl import GRPOTrainer

    from lingshu_core.manifest import Manifest
    from lingshu_rl.grpo import grpo_config
    from lingshu_rl.loading import load_model, load_processor
    from lingshu_rl.plan import make_plan
    from lingshu_rl.questions import read_questions
    from lingshu_rl.reward import Scorer

    asked = read_questions(Manifest(recipe.prompts))
    plan = make_plan(recipe.batch, [True] * len(asked), ranks=1, seed=recipe.seed)
    scorer = Scorer(recipe.rewards)
    config = grpo_config(recipe, plan, out, scorer.weights, [])
    config.save_strategy = "no"
    rows = [asked[row] for row in plan.order]
    message = Features({"role": Value("string"), "content": Value("string")})
    dataset = Dataset.from_dict(
        {
            "prompt": [[{"role": "user", "content": item.messages[0].text}] for item in rows],
            "images": [[str(path) for path in item.pictures] for item in rows],
            "row": list(plan.order),
        },
        features=Features(
            {"prompt": [dict(message)], "images": Sequence(Image()), "row": Value("int64")}
        ),
    )

    def columns(name: str) -> Callable[..., Any]:
        column = scorer.columns()[scorer.names.index(name)]

        def reward(completions: list, row: list[int], **_: Any) -> Any:
            questions = [asked[number].question for number in row]
            return column(completions=completions, record=questions)

        reward.__name__ = name
        return reward

    trainer = GRPOTrainer(
        model=load_model(recipe.parent, "float32"),
        reward_funcs=[columns(name) for name in scorer.names],
        args=config,
        train_dataset=dataset,
        processing_class=load_processor(recipe.parent),
    )
    trainer.remove_callback(PrinterCallback)
    return _per_step(trainer)


def _per_step(trainer: Any) -> float:
    """Returns CPU seconds a step, the first rollout left out."""
    from transformers import TrainerCallback

    ends: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append(time.process_time())

    trainer.args.save_strategy = "no"
    trainer.add_callback(Clock())
    trainer.train()
    skipped = trainer.args.steps_per_generation // trainer.args.gradient_accumulation_steps
    kept = ends[skipped - 1 :]
    return (kept[-1] - kept[0]) / (len(kept) - 1)


if __name__ == "__main__":
    main()
