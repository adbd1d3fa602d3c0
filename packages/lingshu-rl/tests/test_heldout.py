from pathlib import Path

import rl_toy

from lingshu_core.checkpoint import read_checkpoint
from lingshu_core.panels import read_stats
from lingshu_rl.logbook import Journal
from lingshu_rl.training import train


def test_measured_before_between_and_after(toys: Path, tmp_path: Path, recipe):
    heldout = rl_toy.questions(tmp_path, 8, seed=9)
    out = tmp_path / "out"
    more = (f"heldout={heldout}", "heldout_every=2", "batch.rollouts=4")
    train(recipe(*more), out)
    lines = Journal(out / "log" / "heldout.jsonl").read()
    assert [line["step"] for line in lines] == [0, 4, 8]
    assert all(line["n"] == 8 and 0 <= line["accuracy"] <= 1 for line in lines)
    assert lines[0]["format"] > 0.5
    assert {"heldout_before", "heldout_after"} <= set(read_stats(out).figures)
    assert len(read_checkpoint(out).parents) == 3


def test_measuring_does_not_disturb_training(toys: Path, tmp_path: Path, recipe):
    heldout = rl_toy.questions(tmp_path, 8, seed=9)
    train(recipe(), tmp_path / "plain")
    train(recipe(f"heldout={heldout}", "heldout_every=1"), tmp_path / "measured")
    plain, measured = (
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("plain", "measured")
    )
    assert plain == measured
