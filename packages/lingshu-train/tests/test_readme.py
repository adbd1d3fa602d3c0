"""The README says the figures that the benches wrote."""

import json
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
README = (PACKAGE / "README.md").read_text(encoding="utf-8")
PEERS = {
    "hugging-face": "Hugging Face Trainer",
    "llama-factory": "LLaMA-Factory 0.9.5",
    "ms-swift": "ms-swift 4.6.0",
    "trl": "TRL 1.16",
}


def _stored(bench: str) -> Any:
    return json.loads((PACKAGE / "bench" / "results" / f"{bench}.json").read_text("utf-8"))


def _row(script: str) -> str:
    (row,) = (line for line in README.splitlines() if line.endswith(f"| `{script}.py` |"))
    return row


def test_packing() -> None:
    stored = _stored("packing")
    assert stored["met"] and stored["samples"] == 1_000_000
    said = f"{max(stored['cpu_s']):.2f} s CPU, rows {min(stored['full']):.4f} full"
    assert said in _row("packing")


def test_decoding() -> None:
    stored = _stored("decoding")
    rates = f"{stored['ours_per_cpu_s']:.0f} a CPU second to {stored['fast_per_cpu_s']:.0f}"
    assert stored["met"] and f"{rates}: {stored['ratio']:.2f} times" in _row("decoding")


def test_waiting_for_data() -> None:
    stored = _stored("feeding")
    assert stored["met"] and f"{stored['longest_wait_ms']:.1f} ms of 500" in _row("feeding")
    free = stored["documents_per_s_where_the_device_takes_no_time"]
    assert f"{free} documents a second come" in _row("feeding")


def test_memory() -> None:
    stored = _stored("memory")
    worst = max(abs(row["off"]) for row in stored.values() if isinstance(row, dict))
    assert stored["met"] and f"at most {worst:.0%} off".replace("%", " %") in _row("memory")


def test_kills() -> None:
    stored = _stored("resume")
    assert stored["met"]
    for row in stored["rows"]:
        assert f"| {row['engine']} | 3 kills: bit-equal | 3 kills: bit-equal |" in README
        assert len(row["kills"]) == 3


def test_peers() -> None:
    stored = _stored("peers")
    assert f"{stored['ratio']:.2f} times" in _row("peers")
    for name in ("ours-none", "ours-step", "ours-full"):
        assert f"{stored[name]['tokens_per_cpu_s']:,}" in README
    for name, title in PEERS.items():
        assert f"| {title} | {stored[name]['tokens_per_cpu_s']:,} |" in README


def test_studies() -> None:
    stored = _stored("studies")
    losses = ", ".join(f"{share['loss']:.2f}" for share in stored["scaling"].values())
    assert stored["met"] and losses in README
    ablation = stored["ablation"]
    assert f"{ablation['without']['open']:.2f}, with it {ablation['whole']['open']:.2f}" in README


def test_the_one_run_on_a_gpu() -> None:
    stored = _stored("gpu")
    assert stored["hf"]["device"] == stored["trl"]["device"] == "NVIDIA H200"
    for name in ("hf", "trl"):
        assert f"{stored[name]['tokens_per_s']:,}" in README
    parity = stored["parity"]
    for name in ("float32", "bfloat16", "bfloat16, borders taken away"):
        difference = parity[name]["loss_difference"]
        small = f"{difference:.0e}".replace("e-0", "e-")
        assert (small if difference < 0.01 else f"{difference:.2f}") in README
    assert "failed" in stored["ours"] and "**not known**" in README
