"""Leaves out what a held-out set knows: its pictures, its patients, its texts.

Pictures are compared by their bytes here; `lingshu-data decontaminate` finds those that were
scaled or compressed anew, and is run before.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import Field

from lingshu_core.manifest import Manifest
from lingshu_core.records import Question, RecordBase
from lingshu_rl.step import Desk, Item, Step

_WORD = re.compile(r"\w+")


class Decontaminate(Step):
    """Compares with manifests that models are evaluated on."""

    against: tuple[str, ...] = Field(min_length=1)
    """Paths of manifests."""

    def run(self, items: Iterable[Item], desk: Desk) -> Iterator[Item]:
        """Yields what the held-out sets do not hold."""
        pictures: set[str] = set()
        groups: set[tuple[str, str]] = set()
        texts: set[str] = set()
        for path in self.against:
            for record in Manifest(Path(path)):
                pictures |= {image.sha256 for image in record.images}
                groups |= _group(record)
                texts |= _text(record)
        for item in items:
            question = item.question
            if any(image.sha256 in pictures for image in question.images):
                desk.drop(item, "its picture is held out")
            elif _group(question) & groups:
                desk.drop(item, "its study or patient is held out")
            elif _text(question) & texts:
                desk.drop(item, "its text is held out")
            else:
                yield item


def _group(record: RecordBase) -> set[tuple[str, str]]:
    source = record.source
    return set() if source.group is None else {(source.dataset, source.group)}


def _text(record: RecordBase) -> set[str]:
    """Returns the words of a question without pictures; with pictures they say too little."""
    if not isinstance(record, Question) or record.images:
        return set()
    words = _WORD.findall(" ".join((record.question, *(o.text for o in record.options))).casefold())
    return {" ".join(words)}


STEP = Decontaminate
