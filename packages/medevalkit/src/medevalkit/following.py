"""The answers of a run as they come in, read beside the process that writes them."""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lingshu_core.errors import DataError
from lingshu_core.records import RECORD, Prediction, RecordBase
from medevalkit import journal as journals
from medevalkit.asking import Asking
from medevalkit.folder import items_path, read_settings, read_state
from medevalkit.judging import judged


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an item stands."""

    path: Path
    offset: int


class Following:
    """The answers to what a judge may be asked about; nothing in the folder is written.

    Args:
        folder: A run, under way or ended.

    Raises:
        DataError: The folder is no run, or its journal is broken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journal = folder / journals.NAME
        self._offset = 0
        self._wanted = dict(_wanted(folder))

    def __len__(self) -> int:
        """Returns how many answers there will be."""
        return len(self._wanted)

    def new(self) -> Iterator[tuple[RecordBase, Prediction]]:
        """Yields the answers that came in since the last call, each with its item."""
        if not self._journal.is_file():
            return
        with self._journal.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return  # it is being written
                start, self._offset = self._offset, self._offset + len(line)
                if start and (found := self._answer(line)):
                    yield found

    def under_way(self) -> bool:
        """Says whether another process is working in the folder."""
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def _answer(self, line: bytes) -> tuple[RecordBase, Prediction] | None:
        try:
            entry = json.loads(line)
            place = self._wanted.get(entry["prediction"]["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"is no line of a journal ({error})", path=self._journal) from None
        if place is None or entry["passing"]:
            return None
        with place.path.open("rb") as file:
            file.seek(place.offset)
            record = RECORD.validator.validate_json(file.readline(), strict=True)
        return record, Prediction.model_validate(entry["prediction"])


def _wanted(folder: Path) -> Iterator[tuple[str, _Place]]:
    """Yields the ids of the predictions that a judge is asked about, and where their items are."""
    state = read_state(folder)
    asking = Asking(read_settings(folder), state)
    for task in state.tasks:
        path, offset = items_path(folder, task.name), 0
        with path.open("rb", buffering=1 << 20) as file:
            for line in file:
                if b'"answer_kind":"open"' in line or b'"type":"dialogue"' in line:
                    record = RECORD.validator.validate_json(line, strict=True)
                    if judged(record):
                        for wanted in asking.wanted(task.name, record):
                            yield wanted.prediction, _Place(path, offset)
                offset += len(line)
