"""A program that draws curves while a run goes on: the interface; they stand in `trackers/`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lingshu_core.registry import Registry
from lingshu_train.settings import Stage


class Tracker(Protocol):
    """An open run of such a program."""

    def note(self, step: int, values: Mapping[str, float]) -> None:
        """Takes the figures of a step."""

    def close(self) -> None:
        """Ends the run."""


@dataclass(frozen=True)
class TrackerKind:
    """A tracker that a recipe can name."""

    open: Callable[[Path, Stage], Tracker]
    """Opens it for a run's folder; SettingsError where its extra is not installed."""


TRACKERS: Registry[TrackerKind] = Registry(
    folder="lingshu_train.trackers",
    group="lingshu_train.trackers",
    attribute="TRACKER",
    kind=TrackerKind,
)
