"""What stops a run for good: it says why, and names the records of the step."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.panels import Table, read_stats
from lingshu_train import loop
from lingshu_train.metrics import read_notes
from lingshu_train.plan import Plan
from lingshu_train.runner import run_stage
from lingshu_train.settings import Stage
from lingshu_train.world import World

Make = Callable[..., Stage]


def stopped(stage: Stage, out: Path, world: World) -> tuple[str, dict[str, object]]:
    """Runs a stage that has to stop; returns what it says and what it leaves."""
    with pytest.raises(DataError) as caught:
        run_stage(stage, "t", out, world)
    return str(caught.value), json.loads((out / "log/stopped.json").read_text())


def ids_of(out: Path, mixture: Path, step: int) -> list[str]:
    records = list(Manifest(mixture))
    units = Plan.load(out / "state/plan.npz").step(step - 1)
    return [records[number].id for unit in units for number in unit]


def test_a_loss_that_is_no_number_names_the_records(
    tmp_path: Path, make_stage: Make, mixture: Path, world: World
) -> None:
    wild = {"vision": 1e30, "projector": 1e30, "language": 1e30}
    said, left = stopped(
        make_stage(rates=wild, optimizer={"warmup_steps": 0}), tmp_path / "out", world
    )
    assert "step 2: the loss is nan" in said or "step 2: the loss is inf" in said
    assert left["step"] == 2
    assert left["records"] == ids_of(tmp_path / "out", mixture, 2)
    assert all(name in said for name in left["records"])


def test_a_spike_names_the_records(
    tmp_path: Path, make_stage: Make, mixture: Path, world: World
) -> None:
    """Single samples differ so much that one soon lies above the mean of fifty."""
    stage = make_stage(batch={"accumulation": 1}, epochs=2, loss={"spike": 1.02})
    said, left = stopped(stage, tmp_path / "out", world)
    assert "1.02 times the mean of 50 steps" in said
    assert left["step"] > 50 and len(left["records"]) == 1
    assert left["records"] == ids_of(tmp_path / "out", mixture, left["step"])


def test_a_spike_is_none_before_fifty_steps(tmp_path: Path, make_stage: Make, world: World) -> None:
    stage = make_stage(batch={"accumulation": 1}, loss={"spike": 1.02})
    run_stage(stage, "t", tmp_path / "out", world)


def test_a_loader_that_ends_early_names_the_records(
    tmp_path: Path,
    make_stage: Make,
    mixture: Path,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = loop.load_rows

    def short(*given: object, **more: object) -> Iterator[object]:
        return islice(whole(*given, **more), 19)

    monkeypatch.setattr(loop, "load_rows", short)
    said, left = stopped(make_stage(), tmp_path / "out", world)
    assert "step 3: the loader ended with 5 rows of the step missing" in said
    assert left["records"] == ids_of(tmp_path / "out", mixture, 3)


def test_too_many_broken_pictures_name_the_records(
    tmp_path: Path, make_stage: Make, write: Callable[..., Path], world: World
) -> None:
    broken = write(tmp_path / "broken", 16, text=False)
    for path in broken.rglob("*.png"):
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:60])
    stage = make_stage(mixture=str(broken))
    said, left = stopped(stage, tmp_path / "out", world)
    assert "step 1: 8 of 8 samples could not be read" in said
    assert left["records"] == ids_of(tmp_path / "out", broken, 1)


def test_a_broken_picture_is_set_aside_and_counted_and_none_takes_its_place(
    tmp_path: Path, make_stage: Make, write: Callable[..., Path], world: World
) -> None:
    folder = write(tmp_path / "mixture", 40)
    records = list(Manifest(folder))
    broken = next(record for record in records if len(record.images) == 1)
    path = folder / broken.images[0].path
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:60])
    out = tmp_path / "out"
    run_stage(make_stage(mixture=str(folder)), "t", out, world)
    plan = Plan.load(out / "state/plan.npz")
    planned = [
        [records[number].id for unit in plan.step(step) for number in unit]
        for step in range(len(plan))
    ]
    assert sorted(id for ids in planned for id in ids) == sorted(r.id for r in records)
    steps, _ = read_notes(out)
    assert [note.samples for note in steps] == [
        sum(id != broken.id for id in ids) for ids in planned
    ]  # fmt: skip
    stats = read_stats(out)
    assert stats.counts["failed"] == 1 and stats.counts["samples"] == 39
    table = next(p for p in stats.panels if isinstance(p, Table) and p.title == "Set aside")
    assert table.rows[0][1:] == (1, broken.id)
