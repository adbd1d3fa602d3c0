"""The C heap of a long run."""

import ctypes

_MMAP_THRESHOLD = -3
"""`M_MMAP_THRESHOLD` of glibc's `mallopt`."""
_LARGE = 128 * 1024


def map_large_blocks() -> None:
    """Lets the C library take blocks of 128 KiB and more from the system, each on its own.

    asyncio reads every answer into a fresh block of 256 KiB and cuts it down to what came. glibc
    takes such blocks from the heap as soon as it has seen one freed, and each leaves a hole there
    that is a little too small for the next: some 180 bytes a call, without end. With a bound that
    does not move the heap stays as large as it is.

    Nothing happens where the C library is another one.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
