"""Finds the language of texts: drops what is none of those wanted, or corrects the label.

py3langid decides from the text of a record; where it is not sure, which short medical captions full
of Latin often leave it, the record is left as it is.
"""

from functools import cache
from importlib import import_module
from typing import Any, Literal

from pydantic import Field

from lingshu_core.records import RecordBase
from lingshu_data.ledger import Drop
from lingshu_data.operator import Item, Local, Operator, Policy
from lingshu_data.texts import texts_joined


class Settings(Policy):
    """Which languages are wanted."""

    operator: str = "language"
    wanted: tuple[str, ...] = ("en", "zh")
    """Languages that are kept; with `action = "label"` all are."""
    action: Literal["drop", "label"] = "drop"
    """`label` writes the language into the record instead of dropping it."""
    least_confidence: float = Field(default=0.9, gt=0, le=1)
    """How sure the finding has to be."""
    least_letters: int = Field(default=20, ge=1)
    """Texts with fewer letters are left alone."""


class Language(Local):
    """Judges a record by the language of its texts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def judge(self, item: Item) -> RecordBase | Drop:
        """Returns the record, with another label, or dropped for its language."""
        record = item.record
        text = texts_joined(record.texts())
        if sum(map(str.isalpha, text)) < self._settings.least_letters:
            return record
        found, confidence = _identifier().classify(text)
        if confidence < self._settings.least_confidence:
            return record
        if self._settings.action == "label":
            known = record.language.partition("-")[0]
            return record if found == known else record.replace(language=found)
        if found not in self._settings.wanted:
            return Drop(f"language {found}", value=round(float(confidence), 3))
        return record


@cache
def _identifier() -> Any:
    langid = import_module("py3langid.langid")
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)


OPERATOR = Operator("Texts in languages that are not wanted", Settings, Language)
