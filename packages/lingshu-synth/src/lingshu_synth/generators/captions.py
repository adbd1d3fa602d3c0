"""Captions of pictures with annotation (paper, section 2.2.1, Tables 16 to 23)."""

from dataclasses import dataclass

from lingshu_core.digest import record_id
from lingshu_core.records import Caption, Imaging, Operation
from lingshu_synth.card import Card, load_card, short_caption
from lingshu_synth.generator import Draft, Generator, Item, Kind, Made, Script
from lingshu_synth.offline import long_caption
from lingshu_synth.settings import CaptionSettings


@dataclass(frozen=True)
class Texts:
    """The captions of one view, each with the operations that made it."""

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
        yield ()
        return Made(self._offline(item, card, short))

    def finish(self, item: Item, made: Texts) -> tuple[Draft, ...]:
        """Returns the records of one view."""
        long = self._draft(item, "long", made.long, made.made)
        if not self.settings.short or made.short == made.long:
            return (long,)
        operation = self.operation("short", None, None, item.record.id)
        return (self._draft(item, "short", made.short, (operation,)), long)

    def _offline(self, item: Item, card: Card, short: str) -> Texts:
        operation = self.operation("long", None, None, item.record.id)
        return Texts(short, long_caption(item, card, self.settings.seed), (operation,))

    def _draft(
        self, item: Item, length: str, text: str, operations: tuple[Operation, ...]
    ) -> Draft:
        record = item.record
        tags = {"length": length}
        if item.view:
            tags["view"] = item.view
        caption = Caption(
            id=record_id(record.source.dataset, "captions", item.id, length),
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


GENERATOR = Kind(
    settings=CaptionSettings,
    build=CaptionGenerator,
    summary="Captions of annotated pictures: five stages with a model, metadata alone without.",
    example="lingshu-synth captions runs/data --out runs/captions",
)
