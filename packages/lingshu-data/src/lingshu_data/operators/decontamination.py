"""Drops or flags records that overlap with an evaluation set.

`lingshu-data decontaminate` makes the index of the evaluation set and runs this one operator with
it; the index holds hashes only (`evaluation.py`).
"""

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field

from lingshu_core.records import RecordBase
from lingshu_data.evaluation import EvaluationIndex, Overlap
from lingshu_data.ledger import Drop
from lingshu_data.operator import Item, Local, Operator, Policy
from lingshu_data.pictures import Unreadable


class Settings(Policy):
    """What counts as an overlap."""

    operator: str = "decontamination"
    index: str
    """Folder of the index."""
    distance: int = Field(default=2, ge=0, le=8)
    texts: Literal["unpictured", "all", "none"] = "unpictured"
    action: Literal["drop", "flag"] = "drop"


class Decontamination(Local):
    """Looks a record up in the index of an evaluation set."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _index(self) -> EvaluationIndex:
        return EvaluationIndex(Path(self._settings.index))

    def judge(self, item: Item) -> RecordBase | Drop:
        """Returns the record, flagged where that is asked for, or what it overlaps with."""
        overlap = self._pictures(item) or self._texts(item.record)
        if overlap is None:
            return item.record
        if self._settings.action == "flag":
            tags = {"overlaps_with": overlap.item, "overlap_reason": overlap.reason}
            return item.record.replace(tags={**item.record.tags, **tags})
        return Drop(overlap.reason, value=overlap.value, kept=overlap.item)

    def _pictures(self, item: Item) -> Overlap | None:
        for image in item.record.images:
            if (found := self._index.same_file(image.sha256)) is not None:
                return found
        try:
            hashes = [look.hashed for look in item.looks.of(item.record)]
        except Unreadable:
            # An unreadable picture overlaps with nothing; the picture filter drops it.
            return None
        for hashed in hashes:
            found = self._index.same_picture(hashed, self._settings.distance)
            if found is not None:
                return found
        return None

    def _texts(self, record: RecordBase) -> Overlap | None:
        wanted = self._settings.texts
        if wanted == "none" or (wanted == "unpictured" and record.images):
            return None
        return self._index.same_text(record.texts())


OPERATOR = Operator("Overlaps with an evaluation set", Settings, Decontamination)
