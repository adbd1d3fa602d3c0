"""Extensions that PyTorch and DeepSpeed compile at their first use, in a folder that all share."""

import contextlib
from pathlib import Path


def free_builds(root: Path) -> None:
    """Removes the locks of a folder of compiled extensions whose processes are gone.

    A process that is killed while it compiles leaves its lock, and all that come after wait for it
    for ever. On systems other than Linux nothing tells whether a lock is held, and it does nothing.

    Args:
        root: Where PyTorch keeps the extensions that it compiles, a folder for each.
    """
    if not Path("/proc/self/fd").is_dir():
        return
    for lock in root.glob("**/lock"):
        if not _is_open(lock.resolve()):
            lock.unlink(missing_ok=True)


def _is_open(path: Path) -> bool:
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        # Of other users' processes, and of those that end meanwhile, nothing can be read.
        with contextlib.suppress(OSError):
            if descriptor.readlink() == path:
                return True
    return False
