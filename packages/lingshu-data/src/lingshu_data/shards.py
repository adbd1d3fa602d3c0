"""Manifests cut into immutable runs of lines, small enough to be one task each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest

LINES = 1000
"""Lines of a shard: with pictures some seconds of work, without them some tens of milliseconds."""


@dataclass(frozen=True)
class Shard:
    """A run of lines of one part of one manifest."""

    number: int
    manifest: int
    """Which of the manifests, from 0."""
    part: str
    """Path of the part file."""
    offset: int
    """Where the first line starts, in bytes."""
    first: int
    """Number of the first line in its part, from 1."""
    lines: int

    def read(self) -> Iterator[tuple[int, bytes]]:
        """Yields number and bytes of every line."""
        with open(self.part, "rb", buffering=1 << 20) as file:  # noqa: PTH123  a str is smaller
            file.seek(self.offset)
            for number in range(self.first, self.first + self.lines):
                yield number, file.readline()


@dataclass(frozen=True)
class ShardJob:
    """A shard as an engine's job."""

    shard: Shard
    avoid: frozenset[int] = frozenset()

    @property
    def number(self) -> int:
        """The shard's number."""
        return self.shard.number


def cut(manifests: Sequence[Manifest], lines: int = LINES) -> Iterator[Shard]:
    """Yields the shards of some manifests in order.

    Raises:
        DataError: A part is missing, or shorter or longer than its header says.
    """
    number = 0
    for index, manifest in enumerate(manifests):
        for place, part in enumerate(manifest.parts):
            offset, first, total = 0, 1, 0
            try:
                with part.open("rb", buffering=1 << 20) as file:
                    end = 0
                    for total, line in enumerate(file, 1):
                        end += len(line)
                        if total - first + 1 == lines:
                            yield Shard(number, index, str(part), offset, first, lines)
                            number, offset, first = number + 1, end, total + 1
            except OSError as error:
                raise DataError(f"cannot be read ({error.strerror})", path=part) from None
            if total >= first:
                yield Shard(number, index, str(part), offset, first, total - first + 1)
                number += 1
            said = manifest.header.parts[place].count if manifest.header else total
            if total != said:
                raise DataError(
                    f"holds {total} lines where the header says {said}", path=part, line=total
                )
