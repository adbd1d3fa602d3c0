"""Doctors' answers rewritten: kind, no diagnosis, no prescription, no identities (Table 11)."""

from dataclasses import dataclass

from lingshu_core.digest import record_id
from lingshu_core.records import Dialogue, Instruction, Operation, RecordBase, Turn
from lingshu_synth.asking import Got, Wanted, ask_all
from lingshu_synth.generator import Draft, Generator, Item, Kind, Made, Rejected, Script
from lingshu_synth.prompting import compose, prompt
from lingshu_synth.rewrite_rules import rewrite_fault
from lingshu_synth.settings import DialogueSettings

_BEGINS = "revised response:"
_EXAMPLE = "Revised response: " + "word " * 170


@dataclass(frozen=True)
class Rewritten:
    """The answers of one conversation in their new words, in order."""

    answers: tuple[str, ...]
    made: tuple[Operation, ...]


class DialogueGenerator(Generator[Rewritten]):
    """Rewrites every answer of a conversation; one that breaks a rule sets the record aside."""

    name = "dialogues"
    reads = (Dialogue, Instruction)
    settings: DialogueSettings

    def script(self, item: Item) -> Script[Rewritten]:
        """Asks for all answers at once and checks each by rules."""
        pairs = _exchanges(item.record)
        wanted = [self._wanted(item, number, *pair) for number, pair in enumerate(pairs)]
        answers = yield from ask_all(*wanted)
        texts, made = [], []
        for answer in answers:
            if isinstance(answer, Rejected):
                return answer
            fault = rewrite_fault(answer.value, self.settings.words)
            if fault is not None:
                return fault
            texts.append(answer.value)
            made.append(self._made(answer, item))
        return Made(Rewritten(tuple(texts), tuple(made)))

    def finish(self, item: Item, made: Rewritten) -> tuple[Draft, ...]:
        """Returns the conversation with its new answers, under an id of its own."""
        record = item.record
        answers = iter(made.answers)
        changes: dict[str, object]
        if isinstance(record, Dialogue):
            changes = {
                "turns": tuple(
                    Turn(role=turn.role, text=next(answers)) if turn.role == "assistant" else turn
                    for turn in record.turns
                )
            }
        else:
            changes = {"response": next(answers)}
        new = record.replace(
            id=record_id(record.source.dataset, self.name, record.id),
            provenance=(*record.provenance, *made.made),
            **changes,
        )
        return (Draft(new),)

    def _wanted(self, item: Item, number: int, question: str, answer: str) -> Wanted[str]:
        source = prompt("dialogues/rewrite", self.settings.prompts)
        texts = {"question": question, "response": answer}
        messages = compose(source, item.shots, texts)
        call = self.call(f"rewrite-{number}", source, messages, example=_EXAMPLE)
        return Wanted(call, _read)

    def _made(self, answer: Got[str], item: Item) -> Operation:
        return self.operation("rewrite", answer.call, answer.reply, item.record.id)


def _exchanges(record: RecordBase) -> list[tuple[str, str]]:
    """Returns what was asked before each answer, and the answer."""
    if isinstance(record, Instruction):
        return [(record.instruction, record.response)]
    assert isinstance(record, Dialogue)
    pairs, asked = [], ""
    for turn in record.turns:
        if turn.role == "assistant":
            pairs.append((asked, turn.text))
        elif turn.role == "user":
            asked = turn.text
    return pairs


def _read(text: str) -> str:
    place = text.lower().find(_BEGINS)
    if place < 0:
        raise ValueError('the answer does not begin with "Revised response:"')
    told = text[place + len(_BEGINS) :].strip().strip("*").strip()
    if not told:
        raise ValueError('nothing follows the words "Revised response:"')
    return told


GENERATOR = Kind(
    settings=DialogueSettings,
    build=DialogueGenerator,
    summary="Rewrites doctors' answers: kind, no diagnosis, no prescription, no identities.",
    example="lingshu-synth dialogues runs/talks --out runs/dialogues --endpoint URL --model NAME",
    offline=False,
)
