"""Weights & Biases; the run goes on as the same one when it is resumed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lingshu_core.digest import digest
from lingshu_core.errors import SettingsError
from lingshu_train.settings import Stage
from lingshu_train.tracker import Tracker, TrackerKind


class _Wandb:
    def __init__(self, run: Any) -> None:
        self._run = run

    def note(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        self._run.finish()


def _open(folder: Path, stage: Stage) -> Tracker:
    try:
        import wandb
    except ImportError:
        raise SettingsError(
            "the tracker 'wandb' needs its extra: install 'lingshu-train[wandb]'"
        ) from None
    run = wandb.init(
        project="lingshu-train",
        name=folder.name,
        id=digest([str(folder.resolve()), stage.digest()])[:16],
        dir=str(folder / "log"),
        config=stage.model_dump(mode="json"),
        resume="allow",
    )
    return _Wandb(run)


TRACKER = TrackerKind(open=_open)
