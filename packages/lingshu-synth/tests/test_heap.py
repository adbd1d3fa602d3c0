"""Large blocks that pass are mapped, also after the C library has learned to keep them."""

import ctypes
import subprocess
import sys
import textwrap

import pytest

_LOOK = """
    import ctypes, sys
    from lingshu_synth.heap import map_large_blocks

    class Info(ctypes.Structure):
        names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
        _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

    look = ctypes.CDLL(None).mallinfo2
    look.restype = Info
    if sys.argv[1] == "kept apart":
        map_large_blocks()
    for _ in range(3):
        bytes(256 * 1024)  # freed at once: glibc raises its bound
    before = look().hblkhd
    block = bytes(200 * 1024)
    print(look().hblkhd - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="another C library")
@pytest.mark.parametrize(("how", "mapped"), [("as usual", False), ("kept apart", True)])
def test_large_blocks_are_mapped(how, mapped):
    words = [sys.executable, "-c", textwrap.dedent(_LOOK), how]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert (int(done.stdout) >= 200 * 1024) == mapped
