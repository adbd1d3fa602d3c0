"""Files that are either whole or not there, and paths that stay where they belong."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from lingshu_core.errors import DataError, SettingsError

HEADER_NAME = "manifest.json"
"""The last file of a manifest: with it a folder is finished."""
DESCRIPTION_NAME = "lingshu.json"
"""The last file of a checkpoint."""


def write_atomic(path: Path, data: bytes | str) -> None:
    """Writes a file so that a kill or a power cut leaves the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    side = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with side.open("wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        side.replace(path)
    except BaseException:
        side.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def partial_folder(out: Path) -> Path:
    """Returns where a folder is made before it gets its name."""
    return out.with_name(f".{out.name}.partial")


@contextlib.contextmanager
def claim_folder(out: Path) -> Iterator[Path]:
    """Gives the partial folder of `out` to this process alone until the block ends.

    It may hold what a killed process left. Whoever fills it renames or removes it.

    Raises:
        SettingsError: `out` holds something already, or another process is writing it.
    """
    side = partial_folder(out)
    lock = _claim(out, side)
    try:
        yield side
    finally:
        os.close(lock)


def _claim(out: Path, side: Path) -> int:
    while True:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise SettingsError(f"{out} exists already: remove it, or name another --out")
        side.mkdir(parents=True, exist_ok=True)
        try:
            lock = os.open(side, os.O_RDONLY)
        except FileNotFoundError:
            continue  # another process has just finished or given up
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if side.exists() and os.path.samestat(os.fstat(lock), side.stat()):
                return lock
        except BlockingIOError:
            os.close(lock)
            raise SettingsError(f"another process is writing {out}: wait for it") from None
        os.close(lock)


@contextlib.contextmanager
def fresh_folder(out: Path) -> Iterator[Path]:
    """Gives a folder to fill that becomes `out` when the block ends well, and vanishes otherwise.

    Raises:
        SettingsError: `out` holds something already, or another process is writing it.
    """
    with claim_folder(out) as side:
        try:
            empty_folder(side)
            yield side
            side.rename(out)
        except BaseException:
            remove_folder(side)
            raise
        sync_folder(out.parent)


def empty_folder(folder: Path) -> None:
    """Removes everything in a folder, so that a kill in between leaves nothing finished in it."""
    for name in (HEADER_NAME, DESCRIPTION_NAME):
        for header in folder.rglob(name):
            header.unlink()
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink()


def remove_folder(folder: Path) -> None:
    """Removes a folder, so that a kill in between leaves nothing that looks finished."""
    empty_folder(folder)
    shutil.rmtree(folder)


def link_or_copy(source: Path, target: Path) -> None:
    """Puts a finished, immutable file at a second place: a hard link, or else a copy.

    An existing target is left alone: content-addressed names make it the same file.
    """
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
        return
    except FileExistsError:
        return
    except OSError:
        pass  # another file system, or one without hard links
    side = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        shutil.copyfile(source, side)
        side.replace(target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            side.unlink()


def resolve_inside(root: Path, path: str, *, real_root: Path | None = None) -> Path:
    """Returns `root / path`, having made sure that it does not lead out of `root`.

    Args:
        root: The folder that must not be left.
        path: What a record says, relative to `root`.
        real_root: `root.resolve()` where the caller keeps it, to save the system calls.

    Raises:
        DataError: `path` is absolute, climbs with `..`, or runs through a link that leaves `root`.
    """
    if path.startswith("/") or "\\" in path or ".." in path.split("/"):
        raise DataError(f"the path {path!r} leaves its folder; use a path below {root}", path=root)
    full = (real_root or root.resolve()) / path
    real = Path(os.path.realpath(full))
    if not real.is_relative_to(real_root or root.resolve()):
        raise DataError(f"the path {path!r} is a link that leaves its folder", path=root)
    return real
