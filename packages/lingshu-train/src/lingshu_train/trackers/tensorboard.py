"""TensorBoard: event files below the run's `log/tensorboard`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lingshu_core.errors import SettingsError
from lingshu_train.settings import Stage
from lingshu_train.tracker import Tracker, TrackerKind


class _TensorBoard:
    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def note(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()


def _open(folder: Path, stage: Stage) -> Tracker:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise SettingsError(
            "the tracker 'tensorboard' needs its extra: install 'lingshu-train[tensorboard]'"
        ) from None
    build: Any = SummaryWriter
    return _TensorBoard(build(str(folder / "log" / "tensorboard")))


TRACKER = TrackerKind(open=_open)
