"""Captions of pictures with annotation (paper, section 2.2.1, Tables 16 to 23).

Stage 1 is the dataset's card (`card.py`), stage 2 the regions (`regions.py`). The scripts here ask
for stages 3 and 4 at once, the one with the regions marked, the other on the plain picture, and for
stage 5 with both. Without a model the offline writer tells the metadata.
"""

from dataclasses import dataclass, replace

from pydantic import BaseModel, Field

from lingshu_core.digest import record_id
from lingshu_core.modality import Modality
from lingshu_core.prompts import Prompt
from lingshu_core.records import Caption, Imaging, Operation
from lingshu_synth.asking import Got, Wanted, ask, ask_all
from lingshu_synth.call import Call, Shot
from lingshu_synth.card import Card, findings, load_card, short_caption
from lingshu_synth.checks import caption_fault
from lingshu_synth.generator import Draft, Generator, Item, Kind, Made, Rejected, Script
from lingshu_synth.knowledge import knowledge_on, load_notes
from lingshu_synth.naming import MODALITY_WORDS, listed, readable
from lingshu_synth.offline import long_caption
from lingshu_synth.prompting import compose, prompt
from lingshu_synth.settings import CaptionSettings
from lingshu_synth.structured import read_json

KINDS = {
    Modality.MRI: "mri",
    Modality.XRAY: "xray",
    Modality.MAMMOGRAPHY: "xray",
    Modality.ANGIOGRAPHY: "xray",
    Modality.CT: "ct",
    Modality.HISTOPATHOLOGY: "histopathology",
    Modality.MICROSCOPY: "histopathology",
    Modality.DERMOSCOPY: "skin",
    Modality.PHOTOGRAPH: "skin",
    Modality.ENDOSCOPY: "gi",
    Modality.FUNDUS: "fundus",
    Modality.ULTRASOUND: "ultrasound",
}
"""Which list of what doctors look for belongs to a modality; a knee has a list of its own."""

_EXAMPLE = '{"caption": "' + "word " * 170 + '"}'


class Told(BaseModel):
    """The form in which a caption comes."""

    caption: str = Field(min_length=1)


@dataclass(frozen=True)
class Texts:
    """The captions of one view."""

    short: str
    long: str
    made: tuple[Operation, ...]
    """How the long one came about."""


class CaptionGenerator(Generator[Texts]):
    """A short caption from metadata and a long one, by five stages or by the offline writer."""

    name = "captions"
    reads = (Imaging,)
    settings: CaptionSettings

    def script(self, item: Item) -> Script[Texts]:
        """Writes the short caption; asks for the long one where there is a model."""
        record = item.record
        assert isinstance(record, Imaging)
        card = load_card(record.source.dataset, self.settings.cards)
        short = short_caption(record, card, self.settings.seed, item.id)
        if not self.settings.asks:
            operation = self.operation("long", None, None, record.id)
            return Made(Texts(short, long_caption(item, card, self.settings.seed), (operation,)))
        kind = card.kind or kind_of(record)
        given = self._given(record, card, short)
        factual, doctor = yield from ask_all(
            Wanted(self._factual(item, given), _read), Wanted(self._doctor(item, kind), _read)
        )
        if isinstance(factual, Rejected):
            return factual
        if isinstance(doctor, Rejected):
            return doctor
        call = self._summary(item, given, kind, factual.value, doctor.value)
        summary = yield from ask(Wanted(call, _read))
        if isinstance(summary, Rejected):
            return summary
        fault = caption_fault(summary.value, self.settings.words)
        if fault is not None:
            return fault
        return Made(Texts(short, summary.value, self._made(item, (factual, doctor, summary))))

    def finish(self, item: Item, made: Texts) -> tuple[Draft, ...]:
        """Returns the records of one view."""
        long = self._draft(item, "long", made.long, made.made)
        # A card whose wordings all ask for what a record lacks says nothing of it.
        if not self.settings.short or made.short in ("", made.long):
            return (long,)
        operation = self.operation("short", None, None, item.record.id)
        return (self._draft(item, "short", made.short, (operation,)), long)

    def _given(self, record: Imaging, card: Card, short: str) -> dict[str, str]:
        """Returns what is told about a picture beside the picture itself (stage 1)."""
        present = findings(record)[0]
        organ = readable(record.organ) if record.organ else ""
        notes = load_notes(self.settings.knowledge)
        knowledge = knowledge_on([*present, *card.knowledge, card.disease, organ], notes)
        return {
            "disease": listed(present) if present else card.disease or organ or "not known",
            "modality": MODALITY_WORDS.get(record.modality, (str(record.modality), ""))[0],
            "caption": short,
            "knowledge": knowledge or "none",
        }

    def _factual(self, item: Item, given: dict[str, str]) -> Call:
        source = prompt("captions/factual", self.settings.prompts)
        messages = compose(source, _marked(item), given)
        return self.call("factual", source, messages, example=_EXAMPLE, schema=Told)

    def _doctor(self, item: Item, kind: str) -> Call:
        source = prompt(f"captions/doctor/{kind}", self.settings.prompts)
        messages = compose(source, item.shots, {})
        return self.call("doctor", source, messages, example=_EXAMPLE, schema=Told)

    def _summary(
        self, item: Item, given: dict[str, str], kind: str, factual: str, doctor: str
    ) -> Call:
        source = prompt("captions/summary", self.settings.prompts)
        features = prompt(f"captions/features/{kind}", self.settings.prompts)
        # One prompt of both, so that its hash tells when either has changed.
        both = Prompt(f"{source.name}/{kind}", source.text.replace("${features}", features.text))
        texts = given | {"factual": factual, "doctor": doctor}
        messages = compose(both, _marked(item), texts)
        return self.call("summary", both, messages, example=_EXAMPLE, schema=Told)

    def _made(self, item: Item, stages: tuple[Got[str], ...]) -> tuple[Operation, ...]:
        told = (
            self.operation(got.call.stage, got.call, got.reply, item.record.id) for got in stages
        )
        return (*self.sent(stages[0].call), *told)

    def _draft(
        self, item: Item, length: str, text: str, operations: tuple[Operation, ...]
    ) -> Draft:
        record = item.record
        tags = {"length": length}
        if item.view:
            tags |= {"view": item.view, "slice_choice": item.why}
        caption = Caption(
            id=record_id(record.source.dataset, self.name, item.id, length),
            source=record.source,
            domain=record.domain,
            modality=record.modality,
            language="en",
            images=record.images,
            tags=tags,
            provenance=(*record.provenance, *operations),
            text=text,
        )
        return Draft(caption, item.shots if item.drawn else (), item.boxes)


def kind_of(record: Imaging) -> str:
    """Returns which list of what doctors look for a picture belongs to."""
    kind = KINDS.get(record.modality, "general")
    return "knee-xray" if kind == "xray" and "knee" in (record.organ or "").lower() else kind


def _marked(item: Item) -> tuple[Shot, ...]:
    """Returns the shots of an item with its regions drawn on the first."""
    return (replace(item.shots[0], boxes=item.boxes), *item.shots[1:])


def _read(text: str) -> str:
    """Returns the caption; a reply that is no JSON at all is the caption itself."""
    if "{" in text:
        return read_json(Told, text).caption.strip()
    if not text.strip():
        raise ValueError("the answer is empty")
    return text.strip()


GENERATOR = Kind(
    settings=CaptionSettings,
    build=CaptionGenerator,
    summary="Captions of annotated pictures: five stages with a model, metadata alone without.",
    example="lingshu-synth captions runs/data --out runs/captions",
)
