"""Where the finished shards of a run lie until its end: `.NAME.work` beside the output.

A shard is finished when its folder is there, since the folder appears by one rename. All engines
and all machines that take part in a run share the folder; it is known by what the run depends on,
so that shards of other settings or other inputs are never taken for these.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lingshu_core.console import say
from lingshu_core.digest import digest
from lingshu_core.files import write_atomic
from lingshu_core.manifest import Parent, Producer
from lingshu_core.manifest_writer import already_made


class Workdir:
    """The folder of one run.

    Args:
        out: Where the run's output is to appear.
        key: Everything that decides the content of the shards.
    """

    def __init__(self, out: Path, key: Any) -> None:
        self.root = _root(out)
        self.folder = self.root / digest(key)[:16]
        self.files = self.folder / "store"
        """Where the shards put pictures, by their content."""

    def open(self) -> None:
        """Makes the folder and removes what other settings have left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for other in self.root.iterdir():
            if other != self.folder:
                shutil.rmtree(other, ignore_errors=True)

    def shard(self, leg: int, number: int) -> Path:
        """Returns where a shard's folder stands once it is finished."""
        return self.folder / f"leg-{leg}" / f"{number:06}"

    def is_done(self, leg: int, number: int) -> bool:
        """Says whether a shard is finished."""
        return self.shard(leg, number).is_dir()

    def beside(self, leg: int, name: str) -> Path:
        """Returns where a file or folder that belongs to a whole leg stands."""
        return self.folder / f"leg-{leg}-{name}"

    def remove(self) -> None:
        """Removes everything; the output holds what is worth keeping."""
        shutil.rmtree(self.root, ignore_errors=True)


def is_made(out: Path, producer: Producer, parents: Sequence[Parent]) -> bool:
    """Tells whether an output is there already, and says so.

    A run that was killed after its output had appeared has left its working folder, which goes now.

    Raises:
        SettingsError: Another output stands there.
    """
    if not already_made(out, producer, parents):
        return False
    say_made(out)
    return True


def say_made(out: Path) -> None:
    """Says that an output is there already, and removes what a killed run has left beside it."""
    say(f"{out}: made already, nothing to do")
    shutil.rmtree(_root(out), ignore_errors=True)


def _root(out: Path) -> Path:
    return out.with_name(f".{out.name}.work")


@contextlib.contextmanager
def finishing(target: Path) -> Iterator[Path]:
    """Gives a folder to fill that becomes `target` when the block ends well.

    Where another worker was faster, its folder stays: both hold the same bytes.
    """
    side = target.with_name(f".{target.name}.{os.uname().nodename}.{os.getpid()}")
    shutil.rmtree(side, ignore_errors=True)
    side.mkdir(parents=True)
    try:
        with naming(target):
            yield side
        with contextlib.suppress(OSError):
            side.rename(target)
        if not target.is_dir():
            side.rename(target)
    finally:
        shutil.rmtree(side, ignore_errors=True)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Lets the errors of a block name a path: a failed write, as on a full disk, names none."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def write_json(path: Path, value: Any) -> None:
    """Writes a small JSON file, whole or not at all."""
    write_atomic(path, json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n")


def read_json(path: Path) -> Any:
    """Reads a JSON file of ours."""
    return json.loads(path.read_bytes())
