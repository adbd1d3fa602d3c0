"""Questions about pictures (paper, section 2.2.3), by template and by self-instruction.

An `imaging` record gives questions from its labels, without any call. A `caption` record is shown
to a model with its picture and two real questions as examples (Table 12); without a model it is
passed over.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from lingshu_core.digest import record_id
from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.records import Caption, Dialogue, Imaging, Operation, Option, Question
from lingshu_synth.asking import Wanted, ask
from lingshu_synth.balance import Evener, Letters, YesNo
from lingshu_synth.call import Call
from lingshu_synth.conversing import conversations
from lingshu_synth.facts import LabelSpace, Value, facts, label_spaces
from lingshu_synth.generator import Draft, Generator, Item, Kind, Made, Rejected, Script
from lingshu_synth.naming import readable
from lingshu_synth.phrasing import fill, rank
from lingshu_synth.plan import Planned, plan
from lingshu_synth.prompting import compose, prompt
from lingshu_synth.settings import VqaSettings
from lingshu_synth.structured import read_json

_MISMATCH = "does not match"
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_SEEDS = 500
"""Examples that are kept to draw from."""
_EXAMPLE = (
    '{"question": "' + "word " * 14 + '", "answer": "one or two", "wrong answers": ["a", "b"]}'
)


class SelfInstructed(BaseModel):
    """What the model gives: a question, its answer, and answers that are wrong."""

    model_config = ConfigDict(populate_by_name=True)

    question: _Text
    answer: _Text
    wrong: tuple[_Text, ...] = Field(alias="wrong answers", min_length=1, max_length=3)

    @model_validator(mode="after")
    def _all_differ(self) -> "SelfInstructed":
        texts = [text.casefold() for text in (self.answer, *self.wrong)]
        if len(set(texts)) != len(texts):
            raise ValueError("the answer and the wrong answers are not all different")
        return self


@dataclass(frozen=True)
class Asked:
    """The questions of one picture and how they came about."""

    questions: tuple[Planned, ...]
    made: tuple[Operation, ...]


class VqaGenerator(Generator[Asked]):
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
        self._seeds = _load_seeds(settings) if settings.asks else []

    def survey(self, items: Callable[[], Iterator[Item]]) -> None:
        """Learns the label space of every dataset, then how often each finding will be asked."""
        records = (item.record for item in items())
        self._spaces = label_spaces(r for r in records if isinstance(r, Imaging))
        for item in items():
            for planned in self._plan(item):
                if planned.given:
                    finding, answer = planned.given
                    self._evener.announce((item.record.source.dataset, finding), answer)

    def script(self, item: Item) -> Script[Asked]:
        """Plans questions from labels, or asks for one about a picture and its caption."""
        if isinstance(item.record, Imaging):
            return Made(Asked(self._plan(item), (self._operation(item),)))
        got = yield from ask(Wanted(self._self_instruct(item), _read))
        if isinstance(got, Rejected):
            return got
        said: SelfInstructed | None = got.value
        if said is None:
            return Rejected("does_not_match", "the model says that caption and picture disagree")
        planned = Planned(
            topic="",
            kind="choice",
            wording=said.question.replace("$", "$$"),
            right=(Value(said.answer, said.answer),),
            wrong=tuple(Value(text, text) for text in said.wrong),
        )
        made = self.operation("self-instruct", got.call, got.reply, item.record.id)
        return Made(Asked((planned,), (*self.sent(got.call), made)))

    def finish(self, item: Item, made: Asked) -> tuple[Draft, ...]:
        """Settles letters and answers and writes the questions."""
        settled = (self._question(item, planned, made.made) for planned in made.questions)
        questions = [one for one in settled if one is not None]
        found: Iterable[Question | Dialogue] = questions
        if self.settings.turns > 1:
            found = conversations(questions, self.settings)
        drawings = item.shots if item.drawn else ()
        return tuple(Draft(record, drawings, item.boxes) for record in found)

    def _plan(self, item: Item) -> tuple[Planned, ...]:
        record = item.record
        if not isinstance(record, Imaging):
            return ()
        space = self._spaces[record.source.dataset]
        known = facts(item, space, self.settings.topics)
        return plan(known, item.id, self.settings)

    def _operation(self, item: Item) -> Operation:
        return self.operation("template", None, None, item.record.id)

    def _self_instruct(self, item: Item) -> Call:
        record = item.record
        assert isinstance(record, Caption)
        source = prompt("vqa/self-instruct", self.settings.prompts)
        order = (rank(self.settings.seed, record.id, "seed", n) for n in range(len(self._seeds)))
        first, second = (text for _, text in sorted(zip(order, self._seeds, strict=True))[:2])
        texts = {"seed_example_1": first, "seed_example_2": second, "caption": record.text}
        messages = compose(source, item.shots, texts)
        return self.call("question", source, messages, example=_EXAMPLE)

    def _question(
        self, item: Item, planned: Planned, made: tuple[Operation, ...]
    ) -> Question | None:
        record = item.record
        options: tuple[Option, ...] = ()
        value = ""
        if planned.kind == "open":
            answer = planned.right[0].word
        elif planned.kind == "choice":
            wrong = [value.word for value in planned.wrong]
            group = (record.source.dataset, planned.topic)
            options, answer = self._letters.arrange(planned.right[0].word, wrong, group)
        else:
            settled = self._closed(item, planned)
            if settled is None:
                return None
            value, yes = settled
            answer = "yes" if yes else "no"
        text = fill(planned.wording, value=value, subject=planned.subject)
        return Question(
            id=record_id(record.source.dataset, self.name, item.id, planned.kind, text),
            source=record.source,
            domain=record.domain,
            modality=record.modality,
            language=record.language,
            images=record.images,
            tags=_tags(item, planned),
            provenance=(*record.provenance, *made),
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
    organ = readable(record.organ) if isinstance(record, Imaging) and record.organ else ""
    tags = {"topic": planned.topic, "subject": planned.subject, "organ": organ}
    if item.view:
        tags |= {"view": item.view, "slice_choice": item.why}
    return {name: text for name, text in tags.items() if text}


def _load_seeds(settings: VqaSettings) -> list[str]:
    """Returns real questions with their answers, as the examples of a request show them.

    Raises:
        SettingsError: None are given, or fewer than the two that a request needs.
    """
    if settings.seeds is None:
        raise SettingsError(
            "self-instruction shows the model two real questions: give --set seeds=MANIFEST"
        )
    drawn = sorted(
        (rank(settings.seed, record.id), _seed(record))
        for record in Manifest(settings.seeds).of(Question)
        if record.answer is not None and record.images
    )
    if len(drawn) < 2:
        raise SettingsError(f"{settings.seeds}: holds fewer than two questions about pictures")
    return [text for _, text in drawn[:_SEEDS]]


def _seed(record: Question) -> str:
    answer = record.answer or ""
    if record.options:
        right = [record.option_text(letter) for letter in answer]
        wrong = [o.text for o in record.options if o.letter not in answer]
        tail = f"\nWrong answers: {'; '.join(wrong)}"
        return f"Question: {record.question}\nAnswer: {'; '.join(right)}{tail}"
    return f"Question: {record.question}\nAnswer: {answer}"


def _read(text: str) -> SelfInstructed | None:
    """Returns the question, or None where the model says that picture and caption disagree."""
    if text.strip().lower().startswith("error") and _MISMATCH in text.lower():
        return None
    return read_json(SelfInstructed, text)


GENERATOR = Kind(
    settings=VqaSettings,
    build=VqaGenerator,
    summary="Questions about pictures, from labels by template and from captions by a model.",
    example="lingshu-synth vqa runs/data --out runs/vqa --set per_record=4",
)
