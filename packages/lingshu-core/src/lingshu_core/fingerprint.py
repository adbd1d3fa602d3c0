"""What a step of a recipe read or wrote, as a hash: by content where the content is ours."""

import os
from pathlib import Path

from lingshu_core.checkpoint import ACCOUNTS, is_checkpoint, read_checkpoint
from lingshu_core.digest import digest, file_sha256
from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest, is_finished


def of_output(path: Path) -> str:
    """Returns the identity of what a step wrote: of its manifests and checkpoints, or its bytes.

    Raises:
        DataError: A part of a manifest or a file of a checkpoint is missing or cut.
    """
    if path.is_file():
        return file_sha256(path)
    if is_finished(path):
        return _of_manifest(path)
    if is_checkpoint(path):
        return read_checkpoint(path).digest()
    entries = sorted(entry for entry in path.iterdir() if entry.name not in ACCOUNTS)
    return digest({entry.name: _of_entry(entry) for entry in entries})


def _of_manifest(path: Path) -> str:
    manifest = Manifest(path)
    infos = manifest.header.parts if manifest.header else ()
    for info, part in zip(infos, manifest.parts, strict=True):
        if not part.is_file() or part.stat().st_size != info.bytes:
            raise DataError("is missing or was cut", path=part)
    return manifest.digest()


def _of_entry(entry: Path) -> str:
    # A link is what it points to: following it could lead out, or round in a circle.
    return f"link {entry.readlink()}" if entry.is_symlink() else of_output(entry)


def of_input(path: Path) -> str:
    """Returns the identity of what the user named: by content for files, manifests and
    checkpoints, by names, sizes and times for folders of raw data."""
    if path.is_file() or is_finished(path) or is_checkpoint(path):
        return of_output(path)
    if not path.is_dir():
        raise DataError("there is no such file or folder", path=path)
    found: dict[str, list[int]] = {}
    for folder, _, names in os.walk(path):
        for name in names:
            file = Path(folder) / name
            stat = file.lstat()
            found[file.relative_to(path).as_posix()] = [stat.st_size, stat.st_mtime_ns]
    return digest(found)
