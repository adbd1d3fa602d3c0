"""Kinds of record that a mixture is divided by: the groups of the paper's Table 10."""

from collections.abc import Sequence
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from lingshu_core.errors import SettingsError
from lingshu_core.recipe import nearest
from lingshu_core.records import Caption, Question, RecordBase


class Trait(IntFlag):
    """What a record is, as bits that the index keeps."""

    GENERAL = 1
    PICTURES = 2
    CAPTION = 4
    SYNTHETIC = 8
    REASONING = 16


KINDS: dict[str, tuple[Trait, Trait]] = {
    "medical-multimodal": (Trait.PICTURES, Trait.GENERAL),
    "general-multimodal": (Trait.PICTURES | Trait.GENERAL, Trait(0)),
    "medical-text": (Trait(0), Trait.PICTURES | Trait.GENERAL),
    "general-text": (Trait.GENERAL, Trait.PICTURES),
    "medical-caption": (Trait.CAPTION, Trait.GENERAL),
    "synthetic-multimodal": (Trait.SYNTHETIC | Trait.PICTURES, Trait.GENERAL),
    "medical-cot-text": (Trait.REASONING, Trait.PICTURES | Trait.GENERAL),
}
"""Name of each kind, the traits it needs, and those it must not have."""

GROUPS = ("medical-multimodal", "general-multimodal", "medical-text", "general-text")
"""The four that every record belongs to exactly one of."""

TASKS = ("choice", "closed", "open", "caption", "report", "dialogue", "instruction")
"""What a record asks for: the kind of a question's answer, or the record's type."""

_SYNTHESIS = "lingshu-synth"


def task_of(record: RecordBase) -> int:
    """Returns the place in `TASKS` of a record."""
    name = record.answer_kind if isinstance(record, Question) else record.type
    return TASKS.index(name)


def traits(record: RecordBase) -> Trait:
    """Returns what a record is."""
    found = Trait(0)
    if record.domain == "general":
        found |= Trait.GENERAL
    if record.images:
        found |= Trait.PICTURES
    if isinstance(record, Caption):
        found |= Trait.CAPTION
    if any(step.package == _SYNTHESIS for step in record.provenance):
        found |= Trait.SYNTHETIC
    reasoned = isinstance(record, Question) and record.rationale is not None
    if reasoned or any("<think>" in text for text in record.texts()):
        found |= Trait.REASONING
    return found


def of_kind(bits: NDArray[np.uint16], name: str) -> NDArray[np.bool_]:
    """Returns which records are of a kind; SettingsError where the name is unknown."""
    if name not in KINDS:
        raise SettingsError(f"{name!r} is no kind of record{nearest(name, KINDS)}")
    needs, bars = KINDS[name]
    found: NDArray[np.bool_] = ((bits & needs) == needs) & ((bits & bars) == 0)
    return found


def group_of(bits: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Returns the place in `GROUPS` of each record."""
    return np.select([of_kind(bits, name) for name in GROUPS], range(len(GROUPS)))


def left(bits: NDArray[np.uint16], without: Sequence[str]) -> NDArray[np.bool_]:
    """Returns which records stay when some kinds are left out."""
    stays = np.ones(len(bits), dtype=bool)
    for name in without:
        stays &= ~of_kind(bits, name)
    return stays
