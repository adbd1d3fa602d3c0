"""What `--tasks` names, as manifests to read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest
from medevalkit.folder import TaskState

_MANIFEST = "manifest:"


@dataclass(frozen=True)
class Task:
    """Items to ask under one name."""

    name: str
    manifest: Manifest
    benchmark: str | None = None
    """Name of the benchmark whose card belongs to it."""

    def state(self, items: int) -> TaskState:
        """Returns what a run remembers of the task."""
        return TaskState(
            name=self.name,
            benchmark=self.benchmark,
            manifest=str(self.manifest.path),
            digest=self.manifest.digest(),
            root=str(self.manifest.root.resolve()),
            items=items,
        )


def resolve(names: Sequence[str]) -> list[Task]:
    """Returns the tasks that names stand for; SettingsError where two have the same name."""
    tasks = [_task(name) for name in names]
    known = [task.name for task in tasks]
    for name in known:
        if known.count(name) > 1:
            raise SettingsError(f"two tasks are called {name!r}: name one of them as NAME=PATH")
    return tasks


def _task(name: str) -> Task:
    if name.startswith(_MANIFEST):
        path = Path(name.removeprefix(_MANIFEST))
        return Task(path.name.removesuffix(".jsonl"), Manifest(path))
    raise SettingsError(f"{name!r} is no task")
