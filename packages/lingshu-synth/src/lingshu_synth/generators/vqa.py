"""Questions about pictures (paper, section 2.2.3), by template and by self-instruction.

An `imaging` record gives questions from its labels, without any call. A `caption` record is shown
to a model with its picture and two real questions as examples (Table 12); without a model it is
passed over.
"""

from collections.abc import Callable, Iterator

from lingshu_core.digest import record_id
from lingshu_core.records import Caption, Imaging, Option, Question
from lingshu_synth.balance import Evener, Letters, YesNo
from lingshu_synth.facts import LabelSpace, facts, label_spaces
from lingshu_synth.generator import Draft, Generator, Item, Kind, Made, Script
from lingshu_synth.naming import readable
from lingshu_synth.phrasing import fill
from lingshu_synth.plan import Planned, plan
from lingshu_synth.settings import VqaSettings


class VqaGenerator(Generator[tuple[Planned, ...]]):
    """Plans questions record by record, and settles letters and yes or no over all of them."""

    name = "vqa"
    settings: VqaSettings

    def __init__(self, settings: VqaSettings) -> None:
        super().__init__(settings)
        self.reads = (Imaging, Caption) if settings.asks else (Imaging,)
        self._spaces: dict[str, LabelSpace] = {}
        self._letters = Letters(settings.seed)
        self._yes_no = YesNo(settings.seed)
        self._evener = Evener(settings.seed)

    def survey(self, items: Callable[[], Iterator[Item]]) -> None:
        """Learns the label space of every dataset, then how often each finding will be asked."""
        records = (item.record for item in items())
        self._spaces = label_spaces(r for r in records if isinstance(r, Imaging))
        for item in items():
            for planned in self._plan(item):
                if planned.given:
                    finding, answer = planned.given
                    self._evener.announce((item.record.source.dataset, finding), answer)

    def script(self, item: Item) -> Script[tuple[Planned, ...]]:
        """Returns the planned questions; a caption goes to the model first."""
        yield ()
        return Made(self._plan(item))

    def finish(self, item: Item, made: tuple[Planned, ...]) -> tuple[Draft, ...]:
        """Settles letters and answers and writes the questions."""
        found = (self._question(item, planned) for planned in made)
        drawings = item.shots if item.drawn else ()
        return tuple(Draft(record, drawings, item.boxes) for record in found if record is not None)

    def _plan(self, item: Item) -> tuple[Planned, ...]:
        record = item.record
        if not isinstance(record, Imaging):
            return ()
        space = self._spaces[record.source.dataset]
        known = facts(item, space, self.settings.topics)
        return plan(known, item.id, self.settings)

    def _question(self, item: Item, planned: Planned) -> Question | None:
        group = (item.record.source.dataset, planned.topic)
        options: tuple[Option, ...] = ()
        value = ""
        if planned.kind == "open":
            answer = planned.right[0].word
        elif planned.kind == "choice":
            wrong = [value.word for value in planned.wrong]
            options, answer = self._letters.arrange(planned.right[0].word, wrong, group)
        else:
            settled = self._closed(item, planned)
            if settled is None:
                return None
            value, yes = settled
            answer = "yes" if yes else "no"
        text = fill(planned.wording, value=value, subject=planned.subject)
        record = item.record
        return Question(
            id=record_id(record.source.dataset, "vqa", item.id, planned.kind, text),
            source=record.source,
            domain=record.domain,
            modality=record.modality,
            language="en",
            images=record.images,
            tags=_tags(item, planned),
            provenance=(*record.provenance, self.operation("template", None, None, record.id)),
            question=text,
            answer=answer,
            answer_kind=planned.kind,
            options=options,
        )

    def _closed(self, item: Item, planned: Planned) -> tuple[str, bool] | None:
        dataset = item.record.source.dataset
        if planned.given:
            finding, answer = planned.given
            return planned.given if self._evener.admit((dataset, finding), answer) else None
        yes = [value.phrase for value in planned.right]
        no = [value.phrase for value in planned.wrong]
        return self._yes_no.pick((dataset, planned.topic, planned.subject), yes, no)


def _tags(item: Item, planned: Planned) -> dict[str, str]:
    record = item.record
    tags = {"topic": planned.topic}
    if planned.subject:
        tags["subject"] = planned.subject
    if isinstance(record, Imaging) and record.organ:
        tags["organ"] = readable(record.organ)
    return tags


GENERATOR = Kind(
    settings=VqaSettings,
    build=VqaGenerator,
    summary="Questions about pictures, from labels by template and from captions by a model.",
    example="lingshu-synth vqa runs/data --out runs/vqa --set per_record=4",
)
