"""Fills in the modality of pictures from what their record says: tags, metadata, then its text.

What is still unknown is for `lingshu-data classify`, which looks at the pictures.
"""

import re

from lingshu_core.modality import Modality
from lingshu_core.records import RecordBase
from lingshu_data.ledger import Drop
from lingshu_data.modalities import modality_named
from lingshu_data.operator import Item, Local, Operator, Policy

_WORDS: tuple[tuple[Modality, str], ...] = (
    (Modality.MAMMOGRAPHY, r"mammogra(?:m|phy|phic)"),
    (Modality.ANGIOGRAPHY, r"angiogra(?:m|phy|phic)|arteriogra(?:m|phy)|venogra(?:m|phy)"),
    (Modality.PET, r"pet(?:[/-]ct)?|positron emission"),
    (Modality.OCT, r"optical coherence tomography|oct"),
    (Modality.FUNDUS, r"fundus(?:copy)?|funduscopic"),
    (Modality.DERMOSCOPY, r"dermoscop(?:y|ic)|dermatoscop(?:y|ic)"),
    (Modality.ENDOSCOPY, r"(?:endo|colono|gastro|broncho|cysto|laparo)scop(?:y|ic)"),
    (Modality.ULTRASOUND, r"ultraso(?:und|nogra(?:m|phy))|sonogra(?:m|phy|phic)|echocardiogra\w+"),
    (Modality.CT, r"(?:hr)?ct|computed tomogra(?:m|phy)|computerized tomography|tdm"),
    (Modality.MRI, r"f?mri?|magnetic resonance|t[12][- ]weighted|flair|irm"),
    (Modality.XRAY, r"x[ -]?rays?|(?:radio|roentgeno)gra(?:m|ph|phs|phy|phic)|orthopantomogra\w+"),
    (Modality.HISTOPATHOLOGY, r"h(?:a?ematoxylin)?\s?(?:&|and)\s?e(?:osin)?|histolog\w+|"
     r"histopatholog\w+|immunohistochem\w+|biops(?:y|ies)"),
    (Modality.MICROSCOPY, r"microscop(?:y|ic)|micrographs?|blood smear|cytolog\w+"),
)  # fmt: skip
_RULES = tuple(
    (modality, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for modality, words in _WORDS
)


class Settings(Policy):
    """Where the modality is looked for."""

    operator: str = "modality"
    from_text: bool = True
    """Whether words of the text count, where they name one modality and no other."""


class ModalityFromWords(Local):
    """Fills in unknown modalities."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def judge(self, item: Item) -> RecordBase | Drop:
        """Returns the record, with its modality where its words tell it."""
        record = item.record
        if record.modality != Modality.UNKNOWN or not record.images:
            return record
        said = {**record.tags, **{k: str(v) for k, v in getattr(record, "metadata", {}).items()}}
        named = modality_named(said.get("modality"))
        if named == Modality.UNKNOWN and self._settings.from_text:
            named = modality_in(" ".join(record.texts()))
        return record if named == Modality.UNKNOWN else record.replace(modality=named)


def modality_in(text: str) -> Modality:
    """Returns the one modality that a text names; unknown where it names none or several."""
    named = [modality for modality, rule in _RULES if rule.search(text)]
    # `CT angiography` and `PET/CT` are the more special of the two.
    special = [m for m in named if m in {Modality.ANGIOGRAPHY, Modality.PET, Modality.MAMMOGRAPHY}]
    if len(named) == 2 and len(special) == 1:
        return special[0]
    return named[0] if len(named) == 1 else Modality.UNKNOWN


OPERATOR = Operator("Modalities that the record's words tell", Settings, ModalityFromWords)
