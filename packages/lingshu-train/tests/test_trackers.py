"""Curves in other programs: what a run notes comes out of their own files again."""

import json
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lingshu_core.errors import SettingsError
from lingshu_train.metrics import read_notes
from lingshu_train.runner import run_stage
from lingshu_train.settings import Stage
from lingshu_train.world import World

Make = Callable[..., Stage]
HELDOUT = {"every": 2, "generations": 0}


def test_tensorboard_shows_the_log(
    tmp_path: Path, make_stage: Make, write: Callable[..., Path], world: World
) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    heldout = write(tmp_path / "heldout", 10, start=500)
    stage = make_stage(trackers=("tensorboard",), heldout=str(heldout), evaluation=HELDOUT)
    run_stage(stage, "t", tmp_path / "out", world)
    steps, looks = read_notes(tmp_path / "out")
    shown = EventAccumulator(str(tmp_path / "out/log/tensorboard")).Reload()

    def curve(name: str) -> dict[int, float]:
        return {event.step: event.value for event in shown.Scalars(name)}

    assert curve("loss") == pytest.approx({note.step: note.loss for note in steps})
    assert curve("rate/projector") == pytest.approx({n.step: n.rates["projector"] for n in steps})
    assert curve("loss/medical-text") == pytest.approx(
        {note.step: note.groups["medical-text"] for note in steps if "medical-text" in note.groups}
    )
    assert curve("loss/closed") == pytest.approx(
        {note.step: note.sources["closed"] for note in steps if "closed" in note.sources}
    )
    assert curve("heldout/loss") == pytest.approx({note.step: note.loss for note in looks})
    assert [note.step for note in looks] == [2, 4, 5]


@pytest.mark.slow
def test_weights_and_biases_keeps_the_log_without_a_network(
    tmp_path: Path, make_stage: Make, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    run_stage(make_stage(trackers=("wandb",)), "t", tmp_path / "out", world)
    (kept,) = (tmp_path / "out/log").rglob("run-*.wandb")
    steps, _ = read_notes(tmp_path / "out")
    rows = history(kept)
    assert [row["_step"] for row in rows] == [note.step for note in steps] == [1, 2, 3, 4, 5]
    assert [row["loss"] for row in rows] == [note.loss for note in steps]
    assert [row["rate/vision"] for row in rows] == [note.rates["vision"] for note in steps]


def history(path: Path) -> list[dict[str, Any]]:
    """Returns the steps in a file of Weights & Biases."""
    from wandb.proto import wandb_internal_pb2

    found = []
    for data in logged(path.read_bytes()):
        record = wandb_internal_pb2.Record.FromString(data)
        if record.WhichOneof("record_type") == "history":
            items = {"/".join(i.nested_key) or i.key: i.value_json for i in record.history.item}
            found.append({name: json.loads(value) for name, value in items.items()})
    return found


def logged(data: bytes) -> Iterator[bytes]:
    """Yields the records of a log as LevelDB divides it: blocks of 32 KiB, parts of records."""
    block, at, whole = 1 << 15, 7, b""  # the file's own header takes the first seven bytes
    while at + 7 <= len(data):
        if block - at % block < 7:
            at += block - at % block
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield whole
            whole = b""


@pytest.mark.parametrize(
    ("name", "module"), [("tensorboard", "torch.utils.tensorboard"), ("wandb", "wandb")]
)
def test_a_tracker_without_its_extra_says_what_to_install(
    tmp_path: Path,
    make_stage: Make,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    module: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SettingsError, match=rf"install 'lingshu-train\[{name}\]'"):
        run_stage(make_stage(trackers=(name,)), "t", tmp_path / "out", world)


def test_a_tracker_that_is_not_there_is_refused(
    tmp_path: Path, make_stage: Make, world: World
) -> None:
    with pytest.raises(SettingsError, match="tensorbord"):
        run_stage(make_stage(trackers=("tensorbord",)), "t", tmp_path / "out", world)
