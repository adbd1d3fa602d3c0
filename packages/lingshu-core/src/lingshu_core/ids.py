"""Finds ids that stand twice among any number of them, in memory that does not grow."""

import hashlib
import heapq
import itertools
import tempfile
from array import array
from collections.abc import Iterator
from typing import Self

_RUN = 1 << 14
"""Keys that are sorted in memory (1 MiB as objects); more go to a file, run by run."""
_MOST = 20


class Ids:
    """Remembers ids by 64 bits of their hash, sorted in runs in a nameless temporary file.

    Used as a context manager.
    """

    def __init__(self) -> None:
        self._keys = array("Q")
        self._runs = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed at the end of the block

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, name: str) -> None:
        """Takes note of an id."""
        self._keys.append(self.key(name))
        if len(self._keys) == _RUN:
            array("Q", sorted(self._keys)).tofile(self._file)
            self._runs += 1
            self._keys = array("Q")

    def repeated(self) -> set[int]:
        """Returns the keys of ids that were added twice, the 20 smallest at most."""
        runs = [self._run(number) for number in range(self._runs)]
        ordered = heapq.merge(sorted(self._keys), *runs)
        found: set[int] = set()
        for one, other in itertools.pairwise(ordered):
            if one == other:
                found.add(one)
            if len(found) == _MOST:
                break
        return found

    @staticmethod
    def key(name: str) -> int:
        """Returns what stands for an id."""
        return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())

    def _run(self, number: int) -> Iterator[int]:
        block = max(64, _RUN // self._runs)
        for start in range(0, _RUN, block):
            self._file.seek(8 * (number * _RUN + start))
            yield from array("Q", self._file.read(8 * min(block, _RUN - start)))
