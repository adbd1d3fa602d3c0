"""What a step of a recipe read or wrote, as a hash: by content where the content is ours."""

import os
from pathlib import Path

from lingshu_core.checkpoint import is_checkpoint, read_checkpoint
from lingshu_core.digest import digest, file_sha256
from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest, is_finished
from lingshu_core.page import PAGE_NAME, SCRIPT_NAME
from lingshu_core.panels import STATS_NAME

# They tell how long something took; two equal runs differ in them.
_LEFT_OUT = {STATS_NAME, PAGE_NAME, SCRIPT_NAME}


def of_output(path: Path) -> str:
    """Returns the identity of what a step wrote: of its manifests and checkpoints, or its bytes."""
    if path.is_file():
        return file_sha256(path)
    if is_finished(path):
        return Manifest(path).digest()
    if is_checkpoint(path):
        return read_checkpoint(path).digest()
    entries = sorted(entry for entry in path.iterdir() if entry.name not in _LEFT_OUT)
    return digest({entry.name: of_output(entry) for entry in entries if entry.exists()})


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
            stat = file.stat()
            found[file.relative_to(path).as_posix()] = [stat.st_size, stat.st_mtime_ns]
    return digest(found)
