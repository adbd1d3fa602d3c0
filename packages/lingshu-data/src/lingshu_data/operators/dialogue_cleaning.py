"""Finds what identifies people in consultations, and replaces it, flags it or drops the record.

This is the first half of the paper's cleaning of patient-doctor dialogues (section 2.1.4): rules
replace identifiers at once; the second half, in which a model takes out advice and what rules do
not see, is `lingshu-synth dialogues`, which reads the manifest that this step writes.
"""

from functools import cached_property
from typing import Any, Literal

from lingshu_core.errors import SettingsError
from lingshu_core.records import Dialogue, Instruction, Question, RecordBase
from lingshu_data.identifiers import identifiers, replaced
from lingshu_data.ledger import Drop
from lingshu_data.operator import Item, Local, Operator, Policy

TAG = "identifiers"
"""The tag that says what was found."""


class Settings(Policy):
    """What is done about identifiers."""

    operator: str = "dialogue-cleaning"
    types: tuple[str, ...] = ("dialogue", "instruction", "question")
    action: Literal["replace", "flag", "drop"] = "replace"
    """`replace` writes `[kind]` for each; `flag` writes what was found into the tags alone."""
    presidio: bool = False
    """Whether presidio looks as well (extra `lingshu-data[presidio]`); it only ever flags."""
    presidio_model: str = ""
    """An installed spaCy model by which presidio finds names; without, it finds numbers alone."""


class DialogueCleaning(Local):
    """Cleans the texts of a record."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def judge(self, item: Item) -> RecordBase | Drop:
        """Returns the record cleaned or flagged, or drops it for what it says."""
        record = item.record
        kinds = sorted({found.kind for text in record.texts() for found in identifiers(text)})
        if kinds and self._settings.action == "drop":
            return Drop(f"identifies: {', '.join(kinds)}")
        tags = {TAG: ", ".join(kinds)} if kinds else {}
        if self._settings.presidio and (names := self._seen_by_presidio(record)):
            tags["presidio"] = ", ".join(names)
        if not tags:
            return record
        changes = _cleaned(record) if self._settings.action == "replace" else {}
        return record.replace(tags={**record.tags, **tags}, **changes)

    def _seen_by_presidio(self, record: RecordBase) -> list[str]:
        found = set()
        for text in record.texts():
            found |= {item.entity_type for item in self._analyzer.analyze(text, language="en")}
        return sorted(found)

    @cached_property
    def _analyzer(self) -> Any:
        return _analyzer(self._settings.presidio_model)


def _cleaned(record: RecordBase) -> dict[str, Any]:
    """Returns the fields of a record that hold text, without identifiers."""
    if isinstance(record, Dialogue):
        turns = (turn.model_copy(update={"text": replaced(turn.text)[0]}) for turn in record.turns)
        return {"turns": tuple(turns)}
    if isinstance(record, Instruction):
        system = None if record.system is None else replaced(record.system)[0]
        said = {"instruction": replaced(record.instruction)[0], "system": system}
        return {**said, "response": replaced(record.response)[0]}
    if isinstance(record, Question):
        changes = {"question": replaced(record.question)[0]}
        if record.rationale is not None:
            changes["rationale"] = replaced(record.rationale)[0]
        if record.answer_kind != "choice" and record.answer is not None:
            changes["answer"] = replaced(record.answer)[0]
        return changes
    return {}


def _analyzer(model: str) -> Any:
    try:
        import spacy
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
        from presidio_analyzer.predefined_recognizers import (
            CreditCardRecognizer,
            IbanRecognizer,
            IpRecognizer,
            PhoneRecognizer,
            SpacyRecognizer,
            UsSsnRecognizer,
        )
    except ImportError:
        raise SettingsError(
            "presidio needs the extra: pip install 'lingshu-data[presidio]'"
        ) from None

    # Those that look up top-level domains on the web are left out; the rules know addresses.
    kinds = [CreditCardRecognizer, IbanRecognizer, IpRecognizer, PhoneRecognizer, UsSsnRecognizer]
    engine: Any = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": model or "blank"}])
    try:
        engine.nlp = {"en": spacy.load(model) if model else spacy.blank("en")}
    except OSError:
        raise SettingsError(f"{model!r} is no installed spaCy model") from None
    registry = RecognizerRegistry(recognizers=[kind() for kind in kinds])
    if model:
        registry.add_recognizer(SpacyRecognizer())
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


OPERATOR = Operator("What identifies people in consultations", Settings, DialogueCleaning)
