"""The folder of one run: who may write into it, what it is about, where things stand.

RUN/
  settings.json     what was asked for
  run.json          what it came to: model, tasks, versions
  items/TASK.jsonl  the items as they were asked, gold included
  journal.jsonl     every answer as it came in
  predictions/      manifest of `prediction` records, in the order of the items; at the end
  verdicts.sqlite   what judges said; judges/ who they are
  measured.sqlite   what models of metrics measured; measured/ with which weights
  scores/PROFILE/   manifest of `score` records
  scores.json       the tables
  stats.json, index.html
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.files import write_atomic
from lingshu_core.manifest import broken_line, check_format
from medevalkit.benchmark import BENCHMARKS, Benchmark
from medevalkit.settings import RunSettings

FORMAT = "medevalkit-run/1"
SETTINGS_NAME = "settings.json"
STATE_NAME = "run.json"
PREDICTIONS_NAME = "predictions"
SCORES_NAME = "scores.json"

R = TypeVar("R", bound=BaseModel)


class Stored(BaseModel):
    """Base of what stands in the files of a run."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TaskState(Stored):
    """One task of a run."""

    name: str
    benchmark: str | None = None
    """Name of the benchmark whose card belongs to it."""
    manifest: str
    """Where the items were read."""
    digest: str
    """Of that manifest."""
    root: str
    """Folder in which the paths of pictures start."""
    items: int = Field(ge=0)
    """How many were asked, rotations counted."""

    def card(self) -> Benchmark | None:
        """Returns the benchmark that it belongs to; None for a plain manifest."""
        return None if self.benchmark is None else BENCHMARKS.get(self.benchmark)


class RunState(Stored):
    """What `run.json` holds."""

    format: str = FORMAT
    model: str
    """As the user named it."""
    fingerprint: str
    """Of the model, as its backend tells it."""
    tasks: tuple[TaskState, ...]
    by_item: bool = False
    """Whether the answers belong to items, so that none is shared (`Backend.by_item`)."""
    finished: bool = False
    """Every item has its answer."""
    versions: dict[str, str] = Field(default_factory=dict)

    def wanted(self, replicas: int) -> int:
        """Returns how many answers the run wants."""
        return sum(task.items for task in self.tasks) * replicas


def items_path(folder: Path, task: str) -> Path:
    """Returns where the items of a task stand."""
    return folder / "items" / f"{task}.jsonl"


def write_state(folder: Path, state: RunState) -> None:
    """Writes `run.json`."""
    write_atomic(folder / STATE_NAME, state.model_dump_json(indent=2) + "\n")


def read_state(folder: Path) -> RunState:
    """Reads `run.json`; DataError where the folder is no run."""
    path = folder / STATE_NAME
    try:
        text = path.read_bytes()
    except OSError:
        raise DataError(f"has no {STATE_NAME}: it is no run of medevalkit", path=folder) from None
    check_format(path, text, FORMAT)
    return parsed(RunState, text, path)


def read_settings(folder: Path) -> RunSettings:
    """Reads the settings of a run."""
    path = folder / SETTINGS_NAME
    try:
        text = path.read_bytes()
    except OSError:
        raise DataError(f"has no {SETTINGS_NAME}", path=folder) from None
    return parsed(RunSettings, text, path)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps a run folder for one process; SettingsError where another one has it."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"another process is working in {folder}: wait for it, or name another --out"
            ) from None
        yield
    finally:
        os.close(handle)


def parsed(model: type[R], text: bytes, path: Path) -> R:
    """Returns the content of a file as a model; DataError where it does not fit."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise broken_line(path, None, error) from None
