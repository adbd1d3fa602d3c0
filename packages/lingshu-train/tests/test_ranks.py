"""One step is the same update however it is dealt out: to ranks, to ZeRO's stages, to none."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lingshu_train.metrics import read_notes
from lingshu_train.runner import run_stage
from lingshu_train.settings import Stage
from lingshu_train.world import World

Make = Callable[..., Stage]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

BATCH = {"accumulation": 1, "devices": 8}
"""Eight samples a step, on however many ranks: 1x8, 2x4, 8x1."""
STEADY = {"warmup_steps": 2, "eps": 1e-3}
"""With its usual 1e-8 AdamW steps as far for twice the gradient, and as far for rounding alone: it
hides a factor, and blows up what is nearly zero. With this it follows the gradient."""


def engine(zero: int, offload: str = "none", kind: str = "deepspeed") -> dict[str, object]:
    return {"kind": kind, "zero": zero, "offload": offload, "checkpointing": False}


TORCH = engine(2, kind="torch")


def spawn(jobs: Sequence[tuple[Path, Stage]], ranks: int, folder: Path) -> None:
    """Runs stages in as many processes as there are ranks."""
    listing = folder / f"jobs-{ranks}.json"
    listing.write_text(
        json.dumps([{"out": str(out), "stage": s.model_dump(mode="json")} for out, s in jobs]),
        encoding="utf-8",
    )
    script = Path(__file__).with_name("ranks.py")
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone",
        "--nproc-per-node", str(ranks), str(script), str(listing),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}
    run = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=1100, check=False
    )
    assert run.returncode == 0, run.stderr[-4000:]


def check_same(one: Path, other: Path, base: Path) -> None:
    """Compares two runs: losses and weights to 1e-6, and norms of the gradient by their share.

    A norm is the root of a sum of float32 squares, which every engine takes in an order of its own.
    """
    notes = [read_notes(folder)[0] for folder in (one, other)]
    loss = max(abs(a.loss - b.loss) for a, b in zip(*notes, strict=True))
    norm = max(abs(a.norm - b.norm) / (b.norm or 1) for a, b in zip(*notes, strict=True))
    first, second, start = (load_file(p / "model.safetensors") for p in (one, other, base))
    weights = max(float((first[name] - second[name]).abs().max()) for name in first)
    moved = max(float((second[name] - start[name]).abs().max()) for name in first)
    print(f"{one.name}: loss {loss:.1e} norm {norm:.1e} weights {weights:.1e} of {moved:.1e}")
    assert loss <= 1e-6 and norm <= 1e-5 and weights <= 1e-6
    assert moved > 5e-4


def load_slots(folder: Path) -> dict[str, torch.Tensor]:
    """Returns the float32 values that a run goes on from, by the names of the family's files."""
    found = {}
    for path in folder.glob("slots-*.safetensors"):
        for key, tensor in load_file(path).items():
            kind, _, name = key.partition("/")
            if kind == "value":
                name = name.replace("model.visual.", "visual.")
                found[name.replace("model.language_model.", "model.")] = tensor
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, make_stage: Make, world: World) -> Path:
    """The reference: plain PyTorch, one rank, the mixture of every kind."""
    out = tmp_path_factory.mktemp("runs") / "alone"
    run_stage(make_stage(batch=BATCH, engine=TORCH, optimizer=STEADY), "t", out, world)
    return out


@pytest.mark.parametrize("norm", ["document", "token_global", "sqrt", "token_row"])
def test_2x4_is_1x8_for_every_engine(
    tmp_path: Path, make_stage: Make, base: Path, world: World, norm: str
) -> None:
    """Mixed ranks: in some steps a rank has text alone, which must not hang ZeRO."""
    changes = {"batch": BATCH, "loss": {"norm": norm}, "optimizer": STEADY}
    reference = tmp_path / "alone"
    run_stage(make_stage(engine=TORCH, **changes), "t", reference, world)
    engines = {"torch": TORCH, "zero2": engine(2), "zero3": engine(3)}
    if norm == "document":
        engines |= {
            "zero1": engine(1), "zero2-offload": engine(2, "optimizer"),
            "zero3-offload": engine(3, "parameters"),
        }  # fmt: skip
    jobs = [(tmp_path / name, make_stage(engine=kind, **changes)) for name, kind in engines.items()]
    spawn(jobs, 2, tmp_path)
    for name in engines:
        check_same(tmp_path / name, reference, base)


def test_as_the_recipes_ship_it_2x4_is_1x8_to_what_bfloat16_tells_apart(
    tmp_path: Path, make_stage: Make, base: Path, world: World
) -> None:
    """Weights in bfloat16 and activations computed again, beside plain PyTorch in float32."""
    changes = {"batch": BATCH, "optimizer": STEADY}
    run_stage(make_stage(engine=TORCH, **changes), "t", tmp_path / "alone", world)
    halved = {"dtype": "bfloat16", **changes}
    jobs = [
        (tmp_path / f"zero{zero}",
         make_stage(engine={**engine(zero), "checkpointing": True}, **halved))
        for zero in (2, 3)
    ]  # fmt: skip
    spawn(jobs, 2, tmp_path)
    exact = [note.loss for note in read_notes(tmp_path / "alone")[0]]
    before, after = (load_file(p / "model.safetensors") for p in (base, tmp_path / "alone"))
    for out, _ in jobs:
        losses = [note.loss for note in read_notes(out)[0]]
        print(out.name, max(abs(a / b - 1) for a, b in zip(losses, exact, strict=True)))
        assert losses == pytest.approx(exact, rel=1e-3)
        slots = load_slots(out / "state/step-00000005")
        # The float32 values behind the weights have gone where the exact run has gone.
        whole = sum(float((after[n] - before[n]).square().sum()) for n in after) ** 0.5
        apart = sum(float((slots[n] - after[n]).square().sum()) for n in after) ** 0.5
        print(out.name, apart / whole)
        assert apart <= 0.1 * whole
        weights = load_file(out / "model.safetensors")
        assert all(torch.equal(weights[n], slots[n].bfloat16()) for n in weights)


def test_8x1_is_1x8(tmp_path: Path, make_stage: Make, alone: Path, base: Path) -> None:
    jobs = [
        (tmp_path / name, make_stage(batch=BATCH, engine=kind, optimizer=STEADY))
        for name, kind in {"torch": TORCH, "zero2": engine(2), "zero3": engine(3)}.items()
    ]
    spawn(jobs, 8, tmp_path)
    for out, _ in jobs:
        check_same(out, alone, base)


@pytest.mark.parametrize("mode", ["step", "full"])
def test_packed_rows_on_two_ranks_are_those_on_one(
    tmp_path: Path, make_stage: Make, base: Path, world: World, mode: str
) -> None:
    changes = {
        "batch": {"accumulation": 1, "devices": 8 if mode == "step" else 3},
        "packing": {"mode": mode},
        "optimizer": STEADY,
    }
    run_stage(make_stage(engine=TORCH, **changes), "t", tmp_path / "alone", world)
    jobs = [
        (tmp_path / "zero2", make_stage(engine=engine(2), **changes)),
        (tmp_path / "zero3", make_stage(engine=engine(3), **changes)),
    ]
    spawn(jobs, 2, tmp_path)
    for out, _ in jobs:
        check_same(out, tmp_path / "alone", base)


@pytest.mark.parametrize("frozen", ["language", "vision"])
def test_text_alone_on_one_rank_hangs_neither_zero_2_nor_zero_3(
    tmp_path: Path,
    make_stage: Make,
    base: Path,
    world: World,
    write: Callable[..., Path],
    frozen: str,
) -> None:
    """Every second sample is text alone, dealt to ranks one by one, with a part frozen."""
    from lingshu_core.manifest import Manifest, Producer
    from lingshu_core.manifest_writer import ManifestWriter
    from lingshu_core.records import Instruction

    source = Manifest(write(tmp_path / "whole", 40))
    records = list(source)
    plain = [r for r in records if isinstance(r, Instruction)]
    shown = [r for r in records if r.images][: len(plain)]
    producer = Producer(package="tests", version="0", command="make", settings="1" * 64)
    with ManifestWriter(tmp_path / "half", producer=producer) as writer:
        for pair in zip(plain, shown, strict=True):
            for record in pair:
                writer.write(record, source=source)
    rates = {"vision": 1e-3, "projector": 1e-3, "language": 1e-3}
    del rates[frozen]
    changes = {
        "mixture": str(tmp_path / "half"), "rates": rates,
        "batch": {"accumulation": 1, "devices": 2}, "optimizer": STEADY,
    }  # fmt: skip
    run_stage(make_stage(engine=TORCH, **changes), "t", tmp_path / "alone", world)
    jobs = [(tmp_path / f"zero{z}", make_stage(engine=engine(z), **changes)) for z in (2, 3)]
    spawn(jobs, 2, tmp_path)
    before = load_file(base / "model.safetensors")
    for out, _ in jobs:
        check_same(out, tmp_path / "alone", base)
        after = load_file(out / "model.safetensors")
        still = [n for n in before if (frozen == "language") == ("visual" not in n)]
        still = [n for n in still if frozen == "language" or "merger" not in n]
        assert still and all(torch.equal(before[n], after[n]) for n in still)


@pytest.mark.parametrize("kind", ["torch", "zero2", "zero3"])
def test_adapters_on_two_ranks_are_those_on_one(
    tmp_path: Path, make_stage: Make, base: Path, world: World, kind: str
) -> None:
    """They begin with random numbers, which have to be the same on every rank."""
    pytest.importorskip("peft")
    changes = {
        "batch": BATCH, "rates": {"language": 1e-2}, "lora": {"rank": 4}, "optimizer": STEADY,
    }  # fmt: skip
    run_stage(make_stage(engine=TORCH, **changes), "t", tmp_path / "alone", world)
    chosen = {"torch": TORCH, "zero2": engine(2), "zero3": engine(3)}[kind]
    spawn([(tmp_path / kind, make_stage(engine=chosen, **changes))], 2, tmp_path)
    check_same(tmp_path / kind, tmp_path / "alone", base)
