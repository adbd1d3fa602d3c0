"""What `--tasks` names, as manifests to read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lingshu_core.console import say
from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest, is_finished
from medevalkit.benchmark import BENCHMARKS
from medevalkit.folder import TaskState
from medevalkit.prepare import prepare
from medevalkit.suites import expand

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


def resolve(names: Sequence[str], data: Path) -> list[Task]:
    """Returns the tasks that names stand for.

    Args:
        names: Benchmarks, suites, `manifest:PATH`, or `NAME=PATH` where PATH is a manifest or a
            publisher's folder.
        data: Where prepared benchmarks lie. What is missing is prepared, from the hub if it has to
            be.

    Raises:
        SettingsError: A name is unknown, two tasks have the same name, or a benchmark is neither
            prepared nor on the hub.
    """
    tasks = [_task(name, data) for name in expand(list(names))]
    known = [task.name for task in tasks]
    for name in known:
        if known.count(name) > 1:
            raise SettingsError(f"two tasks are called {name!r}: name one of them as NAME=PATH")
    return tasks


def _task(name: str, data: Path) -> Task:
    if name.startswith(_MANIFEST):
        path = Path(name.removeprefix(_MANIFEST))
        return Task(path.name.removesuffix(".jsonl"), Manifest(path))
    called, sep, place = name.partition("=")
    path = Path(place)
    if sep and (path.is_file() or is_finished(path)):
        return Task(called, Manifest(path), called if _known(called) else None)
    BENCHMARKS.get(called)
    out = data / called
    if not is_finished(out):
        say(f"{called}: is not prepared yet")
        prepare(called, out, folder=path if sep else None)
    return Task(called, Manifest(out), called)


def _known(name: str) -> bool:
    return name.replace("-", "_") in {known.replace("-", "_") for known in BENCHMARKS.names()}
