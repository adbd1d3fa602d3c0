"""Reasoning that leads to a known answer (paper, section 2.2.4, Tables 13 to 15)."""

import re
from dataclasses import dataclass

from pydantic import BaseModel, Field

from lingshu_core.digest import record_id
from lingshu_core.messages import options_text
from lingshu_core.records import Operation, Question, Record
from lingshu_synth.asking import Wanted, ask
from lingshu_synth.call import Call
from lingshu_synth.checks import reasoning_fault
from lingshu_synth.generator import Draft, Generator, Item, Kind, Made, Outcome, Rejected, Script
from lingshu_synth.offline import rationale
from lingshu_synth.phrasing import rank
from lingshu_synth.prompting import compose, prompt
from lingshu_synth.settings import CotSettings
from lingshu_synth.structured import read_json

_TAGS = re.compile(r"</?\s*(?:think|answer)\s*>", re.I)
_VERDICT = re.compile(r"\W*(consistent|inconsistent)\b", re.I)
_EXAMPLE_WORDS = "word " * 150


class Solution(BaseModel):
    """What the model gives: reasoning, and the answer that it leads to."""

    reasoning: str = Field(min_length=1)
    answer: str = Field(min_length=1)


@dataclass(frozen=True)
class Reasoned:
    """A reasoning and how it came about."""

    text: str
    made: tuple[Operation, ...]


class CotGenerator(Generator[Reasoned]):
    """Gives questions with a known answer a reasoning, and keeps those that hold together."""

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
        """Asks for a reasoning and has it checked, or writes one from the question's tags."""
        question = item.record
        assert isinstance(question, Question) and question.answer is not None
        if not self.settings.asks:
            return self._offline(question)
        gold = gold_text(question)
        solved = yield from ask(Wanted(self._solve(item, question, gold), _read_solution))
        if isinstance(solved, Rejected):
            return solved
        solution: Solution = solved.value
        text = _TAGS.sub("", solution.reasoning).strip()
        fault = reasoning_fault(text, self.settings.words)
        if fault is None and not _same_answer(solution.answer, question, gold):
            fault = Rejected("inconsistent", f"arrives at {solution.answer[:100]!r}")
        if fault is not None:
            return fault
        checked = yield from ask(Wanted(self._check(question, solution, gold), _read_verdict))
        if isinstance(checked, Rejected):
            return checked
        agrees, why = checked.value
        if not agrees:
            return Rejected("inconsistent", why)
        made = tuple(
            self.operation(what, got.call, got.reply, question.id)
            for what, got in (("reasoning", solved), ("check", checked))
        )
        return Made(Reasoned(text, (*self.sent(solved.call), *made)))

    def finish(self, item: Item, made: Reasoned) -> tuple[Draft, ...]:
        """Returns the question with its reasoning, under an id of its own."""
        question = item.record
        record = question.replace(
            id=record_id(question.source.dataset, self.name, question.id),
            rationale=made.text,
            provenance=(*question.provenance, *made.made),
        )
        return (Draft(record),)

    def _offline(self, question: Question) -> Outcome[Reasoned]:
        text = rationale(question, self.settings.seed)
        if text is None:
            return Rejected("no_metadata", "the tags do not say enough for the offline writer")
        return Made(Reasoned(text, (self.operation("", None, None, question.id),)))

    def _solve(self, item: Item, question: Question, gold: str) -> Call:
        kind = "choice" if question.options else "open"
        source = prompt(f"cot/{kind}", self.settings.prompts)
        texts = {"question": question.question, "answer": gold}
        if question.options:
            texts["options"] = options_text(question)
        example = Solution(reasoning=_EXAMPLE_WORDS, answer=gold).model_dump_json()
        messages = compose(source, item.shots, texts)
        return self.call("reasoning", source, messages, example=example, schema=Solution)

    def _check(self, question: Question, solution: Solution, gold: str) -> Call:
        source = prompt("cot/check", self.settings.prompts)
        asked = question.question
        if question.options:
            asked = f"{asked}\n{options_text(question)}"
        said = f"{solution.reasoning}\nAnswer: {solution.answer}"
        texts = {"question": asked, "reasoning": said, "answer": gold}
        messages = compose(source, (), texts)
        return self.call("check", source, messages, example="Consistent. " + "word " * 25)


def gold_text(question: Question) -> str:
    """Returns the known answer in full: of a choice the letters, each with its option."""
    assert question.answer is not None
    if not question.options:
        return question.answer
    return "; ".join(f"{letter}. {question.option_text(letter)}" for letter in question.answer)


def _same_answer(said: str, question: Question, gold: str) -> bool:
    allowed = {gold, question.answer or ""}
    if question.options:
        letters = question.answer or ""
        allowed.add("; ".join(question.option_text(letter) for letter in letters))
    return _bare(said) in {_bare(text) for text in allowed}


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .\"'")


def _read_solution(text: str) -> Solution:
    return read_json(Solution, text)


def _read_verdict(text: str) -> tuple[bool, str]:
    found = _VERDICT.match(text)
    if found is None:
        raise ValueError('the answer begins neither with "Consistent." nor with "Inconsistent."')
    return found[1].lower() == "consistent", text[found.end() :].strip(" .*\n")[:200]


GENERATOR = Kind(
    settings=CotSettings,
    build=CotGenerator,
    summary="Reasoning for questions whose answer is known, checked for consistency.",
    example="lingshu-synth cot runs/vqa --out runs/cot --set share=0.25",
)
