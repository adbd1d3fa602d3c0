"""Reasoning that leads to a known answer (paper, section 2.2.4, Tables 13 to 15)."""

from dataclasses import dataclass

from lingshu_core.digest import record_id
from lingshu_core.records import Operation, Question, Record
from lingshu_synth.generator import Draft, Generator, Item, Kind, Made, Rejected, Script
from lingshu_synth.offline import rationale
from lingshu_synth.phrasing import rank
from lingshu_synth.settings import CotSettings


@dataclass(frozen=True)
class Reasoned:
    """A reasoning and how it came about."""

    text: str
    made: tuple[Operation, ...]


class CotGenerator(Generator[Reasoned]):
    """Gives questions with a known answer a reasoning."""

    name = "cot"
    reads = (Question,)
    settings: CotSettings

    def wants(self, record: Record) -> bool:
        """Takes the share of the questions that the settings say, drawn by seed and id."""
        assert isinstance(record, Question)
        return (
            record.answer is not None
            and record.rationale is None
            and rank(self.settings.seed, record.id, "cot") < self.settings.share
        )

    def script(self, item: Item) -> Script[Reasoned]:
        """Writes a reasoning from the question's tags, or asks for one and has it checked."""
        question = item.record
        assert isinstance(question, Question)
        yield ()
        text = rationale(question, self.settings.seed)
        if text is None:
            return Rejected("no_metadata", "the tags do not say enough for the offline writer")
        return Made(Reasoned(text, (self.operation("", None, None, question.id),)))

    def finish(self, item: Item, made: Reasoned) -> tuple[Draft, ...]:
        """Returns the question with its reasoning, under an id of its own."""
        question = item.record
        record = question.replace(
            id=record_id(question.source.dataset, "cot", question.id),
            rationale=made.text,
            provenance=(*question.provenance, *made.made),
        )
        return (Draft(record),)


GENERATOR = Kind(
    settings=CotSettings,
    build=CotGenerator,
    summary="Reasoning for questions whose answer is known, checked for consistency.",
    example="lingshu-synth cot runs/vqa --out runs/cot --set share=0.25",
)
