"""Exam questions as pictures of text (paper, section 2.2.2 and Table 4)."""

import re
from dataclasses import dataclass

from pydantic import BaseModel, Field

from lingshu_core.digest import record_id
from lingshu_core.messages import options_text
from lingshu_core.modality import Modality
from lingshu_core.records import Instruction, Operation, Question, Record
from lingshu_synth.asking import Wanted, ask
from lingshu_synth.call import Call
from lingshu_synth.generator import Draft, Generator, Item, Kind, Made, Page, Rejected, Script
from lingshu_synth.phrasing import choose, phrasings
from lingshu_synth.prompting import compose, prompt
from lingshu_synth.settings import OcrSettings
from lingshu_synth.structured import read_json

_LETTERS = re.compile(r"[^A-Za-z]*([A-Za-z](?:[\s,;、和&]*(?:and\s+)?[A-Za-z])*)[^A-Za-z]*")
_EXAMPLE_WORDS = "word " * 180


class Solution(BaseModel):
    """What the model gives: the steps, and the final answer."""

    reasoning: str = Field(min_length=1)
    answer: str = Field(min_length=1)


@dataclass(frozen=True)
class Solved:
    """The text that answers a question, and how it came about."""

    response: str
    made: Operation


class OcrGenerator(Generator[Solved]):
    """Has exam questions solved, keeps what ends in the known answer, renders the question.

    Without a model the publisher's own explanation, where there is one, goes before the answer.
    """

    name = "ocr"
    reads = (Question,)
    settings: OcrSettings

    def wants(self, record: Record) -> bool:
        """Takes questions of text alone whose answer is known."""
        return isinstance(record, Question) and record.answer is not None and not record.images

    def script(self, item: Item) -> Script[Solved]:
        """Asks for the steps and compares the final answer with the known one."""
        question = item.record
        assert isinstance(question, Question) and question.answer is not None
        if not self.settings.asks:
            made = self.operation("answer", None, None, question.id)
            return Made(Solved(_response(question, question.rationale), made))
        got = yield from ask(Wanted(self._solve(question), _read))
        if isinstance(got, Rejected):
            return got
        solution: Solution = got.value
        if not is_answer(solution.answer, question):
            return Rejected("wrong_answer", f"arrives at {solution.answer[:100]!r}")
        made = self.operation("solve", got.call, got.reply, question.id)
        return Made(Solved(_response(question, solution.reasoning.strip()), made))

    def finish(self, item: Item, made: Solved) -> tuple[Draft, ...]:
        """Returns the instruction that goes with the picture, and the page to be drawn."""
        question = item.record
        assert isinstance(question, Question)
        identity = record_id(question.source.dataset, self.name, question.id)
        wordings = phrasings(f"ocr.{_language(question)}")["instruction"]["wordings"]
        record = Instruction(
            id=identity,
            source=question.source,
            domain=question.domain,
            modality=Modality.DOCUMENT,
            language=question.language,
            tags={**question.tags, "answer": question.answer or ""},
            provenance=(*question.provenance, made.made),
            instruction=choose(wordings, self.settings.seed, identity),
            response=made.response,
        )
        page = Page(
            text=question.question,
            options=tuple(f"{option.letter}. {option.text}" for option in question.options),
            language=_language(question),
            seed=f"{self.settings.seed}/{identity}",
            style=self.settings.page,
        )
        return (Draft(record, (page,)),)

    def _solve(self, question: Question) -> Call:
        source = prompt("ocr/solve", self.settings.prompts)
        text = question.question
        if question.options:
            text = f"{text}\n{options_text(question)}"
        subject = question.tags.get("subject", "medicine")
        example = Solution(reasoning=_EXAMPLE_WORDS, answer="A").model_dump_json()
        messages = compose(source, (), {"question": text, "subject": subject})
        return self.call("solve", source, messages, example=example, schema=Solution)


def is_answer(said: str, question: Question) -> bool:
    """Says whether a final answer is exactly the known one.

    Letters are compared as letters (`B`, `(b).`, `A, C`); everything else with only white space,
    capitals and a full stop at the end left out of account.
    """
    gold = question.answer or ""
    if not question.options:
        return _bare(said) == _bare(gold)
    found = _LETTERS.fullmatch(said)
    if found is None:
        return False
    letters = re.sub(r"\band\b|[^A-Za-z]", "", found[1]).upper()
    return "".join(sorted(set(letters))) == gold


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".。")


def _response(question: Question, reasoning: str | None) -> str:
    wordings = phrasings(f"ocr.{_language(question)}")["answer"]
    answer = question.answer or ""
    options = {option.letter: option.text for option in question.options}
    final = wordings["letter" if options else "text"].replace("${answer}", answer)
    if options:
        texts = "; ".join(options[letter] for letter in answer)
        final = final.replace("${text}", texts)
    return f"{reasoning.strip()}\n\n{final}" if reasoning and reasoning.strip() else final


def _language(question: Question) -> str:
    return "zh" if question.language.startswith("zh") else "en"


def _read(text: str) -> Solution:
    return read_json(Solution, text)


GENERATOR = Kind(
    settings=OcrSettings,
    build=OcrGenerator,
    summary="Exam questions rendered as pictures, with the steps that lead to the answer.",
    example="lingshu-synth ocr runs/exams --out runs/ocr --endpoint URL --model NAME",
)
