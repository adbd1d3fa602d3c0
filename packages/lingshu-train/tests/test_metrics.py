"""What a step's note says on the console, and what is left of notes after a kill."""

from dataclasses import replace
from pathlib import Path

import pytest

from lingshu_train.metrics import LOG_NAME, HeldoutNote, Journal, StepNote, duration, read_notes

NOTE = StepNote(
    step=1, epoch=0.1, loss=2.5, norm=1.0, rates={"vision": 1e-3}, samples=8, tokens=4000,
    supervised=100, rows=2, seconds=2.0, waiting=0.03, flops=1e12, utilisation=0.41,
    groups={"medical-multimodal": 2.4, "medical-text": 2.75},
    sources={f"set-{number}": 1.0 + number for number in range(8)},
)  # fmt: skip


def test_the_console_tells_loss_speed_waiting_utilisation_and_time_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Journal(tmp_path, done=0, steps=10) as journal:
        journal.step(NOTE)
    first, second = capsys.readouterr().err.splitlines()
    for word in (
        "step 1/10", "loss 2.5000", "medical-multimodal 2.400", "medical-text 2.750",
        "2,000 tokens/s", "waiting 3%", "MFU 41%", " left",
    ):  # fmt: skip
        assert word in first
    assert second == (
        "  by dataset: set-7 8.000  set-6 7.000  set-5 6.000  set-4 5.000  set-3 4.000  "
        "set-2 3.000  and 2 below"
    )


def test_what_is_unknown_or_says_nothing_new_is_not_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Journal(tmp_path, done=0, steps=10) as journal:
        journal.step(replace(NOTE, utilisation=None, sources={"one": 2.5}))
    (line,) = capsys.readouterr().err.splitlines()
    assert "MFU" not in line


def test_lines_beyond_the_last_checkpoint_are_taken_out(tmp_path: Path) -> None:
    with Journal(tmp_path, done=0, steps=10) as journal:
        for step in (1, 2, 3):
            journal.step(replace(NOTE, step=step))
    with (tmp_path / LOG_NAME).open("a") as file:
        file.write('{"kind": "step", "st')  # killed while it wrote
    with Journal(tmp_path, done=2, steps=10) as journal:
        journal.heldout(HeldoutNote(step=2, loss=2.0, sources={}, exact={}, counts={}))
        journal.heldout(HeldoutNote(step=2, loss=1.5, sources={}, exact={}, counts={}))
        journal.step(replace(NOTE, step=3, loss=9.0))
    steps, looks = read_notes(tmp_path)
    assert [(note.step, note.loss) for note in steps] == [(1, 2.5), (2, 2.5), (3, 9.0)]
    assert [(note.step, note.loss) for note in looks] == [(2, 1.5)]


@pytest.mark.parametrize(
    ("seconds", "said"), [(40, "40 s"), (61, "1 min 01 s"), (7500, "2 h 05 min")]
)
def test_times_are_written_for_people(seconds: float, said: str) -> None:
    assert duration(seconds) == said
