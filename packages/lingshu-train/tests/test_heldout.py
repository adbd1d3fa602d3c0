"""Held-out samples: looked at when it is time, and judged as they would be answered."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lingshu_core.manifest import Manifest
from lingshu_core.panels import Gallery, Lines, Table, read_stats
from lingshu_train.heldout import read_generations
from lingshu_train.kinds import TASKS, task_of
from lingshu_train.metrics import read_notes
from lingshu_train.runner import run_stage
from lingshu_train.settings import Stage
from lingshu_train.world import World

COUNT = 10


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., Path]) -> Path:
    return write(tmp_path_factory.mktemp("data") / "questions", COUNT)


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory,
    make_stage: Callable[..., Stage],
    questions: Path,
    world: World,
) -> Path:
    """Learns ten samples nearly by heart, and is asked for the same ten."""
    out = tmp_path_factory.mktemp("runs") / "run"
    rate = 3e-3
    stage = make_stage(
        mixture=str(questions), heldout=str(questions), epochs=16,
        rates={"vision": rate, "projector": rate, "language": rate}, packing={"mode": "step"},
        evaluation={"every": 10, "generations": COUNT, "max_new_tokens": 120},
    )  # fmt: skip
    run_stage(stage, "t", out, world)
    return out


def test_it_is_looked_at_every_few_steps_and_in_the_end(run: Path) -> None:
    steps, looks = read_notes(run)
    assert len(steps) == 32 and [note.step for note in looks] == [10, 20, 30, 32]
    assert looks[-1].loss < looks[0].loss
    assert all(sum(note.counts.values()) == COUNT for note in looks)
    assert {item.step for item in read_generations(run)} == {10, 20, 30, 32}


def test_what_counts_as_right_is_what_greedy_decoding_writes(run: Path, questions: Path) -> None:
    last = read_notes(run)[1][-1]
    answers = {item.record: item for item in read_generations(run) if item.step == last.step}
    right: dict[str, list[bool]] = {}
    for record in Manifest(questions):
        item = answers[record.id]
        right.setdefault(TASKS[task_of(record)], []).append(item.answer == item.gold)
    assert last.exact == {name: sum(found) / len(found) for name, found in right.items()}
    assert 0 < sum(map(sum, right.values())) < COUNT


def test_the_page_shows_the_curve_and_the_answers_against_the_gold(run: Path) -> None:
    panels = read_stats(run).panels
    losses = next(p for p in panels if isinstance(p, Lines) and p.title == "Loss")
    assert losses.series[-1].name == "held out" and losses.series[-1].x == (10, 20, 30, 32)
    table = next(p for p in panels if isinstance(p, Table) and p.title.startswith("Held-out"))
    assert table.columns == ("asked", "gold", "answered", "word for word")
    assert len(table.rows) == COUNT and not any("<image>" in row[0] for row in table.rows)
    assert all((row[1] == row[2]) == (row[3] == "yes") for row in table.rows)
    pictures = next(p for p in panels if isinstance(p, Gallery)).pictures
    assert pictures and all((run / picture.path).is_file() for picture in pictures)
