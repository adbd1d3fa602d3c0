"""The account of a run: what was kept, what was dropped and why, what could not be read.

In every shard, in = kept + dropped + set aside. A dropped record stands whole in the manifest
`dropped`, with the reason in its tags; a line that is no record stands in `set-aside.jsonl`.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from lingshu_core.errors import LingshuError
from lingshu_core.records import RecordBase
from lingshu_data.workdir import read_json

KEPT, DROPPED, SET_ASIDE = "kept.jsonl", "dropped.jsonl", "set-aside.jsonl"
COUNTS = "counts.json"


@dataclass(frozen=True)
class Drop:
    """Why a record was dropped."""

    reason: str
    """A few words that a table can count: `smaller than 64 px`."""
    value: float | None = None
    """What was measured: a side, a distance, a number of tokens."""
    kept: str | None = None
    """Id of the record that was kept in its place, or that it overlaps with."""


def marked(record: RecordBase, operator: str, drop: Drop) -> RecordBase:
    """Returns a dropped record with the reason in its tags."""
    tags = {**record.tags, "dropped_by": operator, "dropped_reason": drop.reason}
    if drop.value is not None:
        tags["dropped_value"] = f"{drop.value:g}"
    if drop.kept is not None:
        tags["dropped_for"] = drop.kept
    return record.model_copy(update={"tags": tags})


@dataclass
class Account:
    """Exact counts of one shard, or of a whole run."""

    taken: int = 0
    """Rows or records that went in."""
    used: int = 0
    """Rows that became records; 0 where records go in."""
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """`OPERATOR: REASON`, where an operator stands for a step of the recipe."""
    set_aside: Counter[str] = field(default_factory=Counter)
    """Lines and rows that could not be read, by reason."""
    notes: Counter[str] = field(default_factory=Counter)
    """What was left out of, or changed in, records that were kept."""

    def add(self, other: "Account") -> None:
        """Adds another account to this one."""
        self.taken += other.taken
        self.used += other.used
        self.kept += other.kept
        self.dropped += other.dropped
        self.set_aside += other.set_aside
        self.notes += other.notes

    def write(self, path: Path) -> None:
        """Writes the account as JSON."""
        path.write_text(json.dumps(self.__dict__, sort_keys=True), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads an account."""
        found = read_json(path)
        return cls(
            taken=found["taken"],
            used=found["used"],
            kept=found["kept"],
            dropped=Counter(found["dropped"]),
            set_aside=Counter(found["set_aside"]),
            notes=Counter(found["notes"]),
        )


class ShardWriter:
    """Writes the files of one shard into its folder; used as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.account = Account()
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ExitStack() as stack:
            for file in self._files.values():
                stack.callback(file.close)
        if error is None:
            self.account.write(self._folder / COUNTS)

    def keep(self, line: bytes) -> None:
        """Keeps a record, given as its line."""
        self.account.kept += 1
        self._line(KEPT, line)

    def drop(self, line: bytes, step: str, reason: str) -> None:
        """Drops a record, given as its line with the reason in its tags."""
        self.account.dropped[f"{step}: {reason}"] += 1
        self._line(DROPPED, line)

    def set_aside(self, place: str, reason: str, *, kind: str, line: bytes = b"") -> None:
        """Sets aside what cannot be read.

        Args:
            place: File and line.
            reason: The message.
            kind: A few words that a table can count.
            line: The line itself, where it is the user's manifest and no raw data.
        """
        self.account.set_aside[kind] += 1
        self._line(SET_ASIDE, aside_line(place, reason, kind, line))

    def _line(self, name: str, line: bytes) -> None:
        file = self._files.get(name)
        if file is None:
            file = self._files[name] = (self._folder / name).open("wb")
        file.write(line.rstrip(b"\n") + b"\n")


def aside_line(place: str, reason: str, kind: str, line: bytes = b"") -> bytes:
    """Returns what `set-aside.jsonl` says of one thing that was set aside."""
    item: dict[str, Any] = {"place": place, "kind": kind, "reason": reason}
    if line:
        item["line"] = line.decode(errors="backslashreplace").rstrip("\n")
    return json.dumps(item, ensure_ascii=False).encode() + b"\n"


def lines_of(path: Path) -> Iterator[bytes]:
    """Yields the lines of a shard's file; none where there is no such file."""
    if path.is_file():
        with path.open("rb", buffering=1 << 20) as file:
            yield from file


def append(path: Path, lines: Iterable[bytes]) -> None:
    """Adds lines to a file, which is made with the first one."""
    left = iter(lines)
    for first in left:
        with path.open("ab") as file:
            file.write(first)
            file.writelines(left)


def gap(went_in: int, came_out: int) -> None:
    """Raises LingshuError where a ledger does not add up."""
    if went_in != came_out:
        raise LingshuError(
            f"the ledger has a gap, which is a fault of this program: {went_in} went in, "
            f"{came_out} are accounted for"
        )
