"""The journal of a run: every answer on a line of its own, written when it comes in.

A line is there whole or not at all; what a kill cuts is thrown away at the next start. The first
line names the format. Lines are only ever added: changed settings leave the old answers where
they are, and their keys keep them from being taken for new ones.
"""

import errno
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from lingshu_core.errors import DataError
from lingshu_core.manifest import check_format
from lingshu_core.records import RECORD, Prediction

FORMAT = "medevalkit-journal/1"
NAME = "journal.jsonl"
_SYNC_EVERY = 1.0


class Journal:
    """The answers of one run folder; used as a context manager.

    Args:
        path: The file; made where it is missing.

    Raises:
        DataError: A line in the middle is broken, or the format is newer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ids: dict[bytes, int] = {}
        self._keys: dict[bytes, int] = {}
        self._passing: dict[bytes, int] = {}
        self._synced = 0.0
        self._end = 0

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._recover()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            os.fsync(self._file)
        finally:
            os.close(self._file)

    def __len__(self) -> int:
        """Returns how many answers are there."""
        return len(self._ids)

    def has(self, prediction: str) -> bool:
        """Says whether the prediction with an id is there, and not one that failed in passing."""
        return _short(prediction) in self._ids

    def answered(self, key: bytes) -> Prediction | None:
        """Returns an answer to the same request, whichever item asked it."""
        offset = self._keys.get(key)
        return None if offset is None else self._read(offset)

    def prediction(self, prediction: str) -> Prediction | None:
        """Returns the prediction with an id, one that failed in passing too; None without any."""
        short = _short(prediction)
        offset = self._ids.get(short, self._passing.get(short))
        return None if offset is None else self._read(offset)

    def add(self, key: bytes, prediction: Prediction, *, passing: bool = False) -> None:
        """Writes an answer; it survives a kill of this process from here on.

        Args:
            key: Of the request.
            prediction: What came back.
            passing: It failed in a way that may be gone next time.
        """
        head = f'{{"key":"{key.hex()}","passing":{json.dumps(passing)},"prediction":'
        line = head.encode() + RECORD.serializer.to_json(prediction, exclude_none=True) + b"}\n"
        offset = self._end
        if os.write(self._file, line) != len(line):
            # A full disk takes part of a line.
            os.ftruncate(self._file, offset)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self._end = offset + len(line)
        self._keep(key, prediction.id, offset, passing=passing, error=prediction.error)
        now = time.monotonic()
        if now - self._synced > _SYNC_EVERY:
            os.fsync(self._file)
            self._synced = now

    def _read(self, offset: int) -> Prediction:
        with self.path.open("rb") as file:
            file.seek(offset)
            return Prediction.model_validate(json.loads(file.readline())["prediction"])

    def _recover(self) -> None:
        size = os.fstat(self._file).st_size
        if size == 0:
            self._end = os.write(self._file, f'{{"format":"{FORMAT}"}}\n'.encode())
            return
        for offset, end, line in _lines(self.path):
            if offset == 0:
                check_format(self.path, line, FORMAT)
            else:
                self._index(offset, line)
            self._end = end
        if self._end < size:
            os.ftruncate(self._file, self._end)

    def _index(self, offset: int, line: bytes) -> None:
        try:
            entry = json.loads(line)
            found = entry["prediction"]
            key = bytes.fromhex(entry["key"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"is no line of a journal ({error}): remove the line", path=self.path
            ) from None
        self._keep(key, found["id"], offset, passing=entry["passing"], error=found.get("error"))

    def _keep(
        self, key: bytes, prediction: str, offset: int, *, passing: bool, error: str | None
    ) -> None:
        if passing:
            self._passing[_short(prediction)] = offset
            return
        self._ids[_short(prediction)] = offset
        self._passing.pop(_short(prediction), None)
        if error is None:
            self._keys.setdefault(key, offset)


def _lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Yields start, end and text of every whole line."""
    start = 0
    with path.open("rb", buffering=1 << 20) as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield start, start + len(line), line
            start += len(line)


def _short(prediction: str) -> bytes:
    # The tail of a record id is 80 bits of a hash, in hexadecimal digits.
    return bytes.fromhex(prediction[-20:])
