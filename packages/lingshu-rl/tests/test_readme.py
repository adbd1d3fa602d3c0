"""The README says the figures that the benches wrote."""

import json
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
README = (PACKAGE / "README.md").read_text(encoding="utf-8")


def _stored(bench):
    return json.loads((PACKAGE / "bench" / "results" / f"{bench}.json").read_text("utf-8"))


def test_the_overhead_beside_trl():
    stored = _stored("overhead")
    assert f"{stored['ratio']:.2f} times" in README
    assert stored["ratio"] <= 1.05


def test_the_gain_on_questions_left_hard():
    rows = _stored("learning")
    assert {row["seed"] for row in rows} == {0, 1, 2}
    for row in rows:
        what = "dealt out at random" if row["shuffled"] else "the rewards"
        cells = f"| {row['before']:.3f} | {row['after']:.3f} | {row['gain']:+.3f} |"
        assert f"| {row['seed']} | {what} {cells}" in README


def test_rollouts_by_vllm_teach_the_same():
    rows = _stored("engines")
    for row in rows:
        name = {"hf": "transformers", "vllm": "vLLM"}[row["engine"]]
        cells = f"| {row['before']:.3f} | {row['after']:.3f} | {row['gain']:+.3f} |"
        assert f"| {row['seed']} | {name} {cells}" in README
