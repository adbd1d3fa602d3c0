"""Records as chat messages: one rendering for training, rewards and evaluation.

What a model is asked in training is then word for word what it is asked in evaluation. The
prompts are those of the paper's Figure 8 and, for answers with reasoning, tags of the reward
(section 3.1.4); they stand as resources in `prompts/`.
"""

import hashlib
from functools import cache
from typing import Literal

from lingshu_core.errors import DataError
from lingshu_core.prompts import Prompt, load_prompt
from lingshu_core.records import (
    IMAGE_MARK,
    Caption,
    Dialogue,
    Image,
    Instruction,
    Part,
    Question,
    RecordBase,
    Report,
)

Style = Literal["direct", "think"]
"""`direct` asks for the answer alone, `think` for reasoning and answer between tags."""


class Content(Part):
    """A piece of a message: a text or a picture."""

    text: str | None = None
    image: Image | None = None


class Message(Part):
    """What one side says, pictures and texts in order."""

    role: Literal["system", "user", "assistant"]
    content: tuple[Content, ...]

    @property
    def text(self) -> str:
        """The texts of the message, run together."""
        return "".join(piece.text for piece in self.content if piece.text is not None)


def to_messages(record: RecordBase, style: Style = "direct") -> tuple[Message, ...]:
    """Returns a record as a conversation that ends with the assistant's answer.

    A question with a rationale is always asked in the `think` style, so that its answer can hold
    the rationale. A question whose answer is withheld ends with the user's turn.

    Raises:
        DataError: The record is not of a kind that can be asked, or its text marks another number
            of pictures than it has.
    """
    if isinstance(record, Question):
        return _question(record, style)
    if isinstance(record, Caption):
        return _exchange(record, _caption_instruction(record), record.text)
    if isinstance(record, Report):
        return _exchange(record, _prompt("report", record.language).text, report_text(record))
    if isinstance(record, Instruction):
        system = () if record.system is None else (_plain("system", record.system),)
        return (*system, *_exchange(record, record.instruction, record.response))
    if isinstance(record, Dialogue):
        return _dialogue(record)
    raise DataError(f"a record of type {record.type!r} cannot be put as messages", record=record.id)


def ask(record: RecordBase, style: Style = "direct") -> tuple[Message, ...]:
    """Returns the conversation up to the point where the model has to answer."""
    messages = to_messages(record, style)
    return messages[:-1] if messages[-1].role == "assistant" else messages


def report_text(report: Report) -> str:
    """Returns a report in the format that the report prompt asks for."""
    return f"Findings: {report.findings.strip()} Impression: {report.impression.strip()}"


def options_text(question: Question) -> str:
    """Returns the options as the prompt lists them, one a line."""
    return "\n".join(f"{option.letter}. {option.text}" for option in question.options)


def _question(record: Question, style: Style) -> tuple[Message, ...]:
    thinking = style == "think" or record.rationale is not None
    kind = f"{record.answer_kind}.think" if thinking else record.answer_kind
    fields = {"question": record.question}
    if record.answer_kind == "choice":
        fields["options"] = options_text(record)
    text = _prompt(kind, record.language).render(**fields)
    if record.answer is None:
        return (_with_pictures(record, text),)
    answer = record.answer
    if record.rationale is not None:
        answer = f"<think>{record.rationale}</think><answer>{record.answer}</answer>"
    return _exchange(record, text, answer)


def _exchange(record: RecordBase, text: str, answer: str) -> tuple[Message, ...]:
    return (_with_pictures(record, text), _plain("assistant", answer))


def _plain(role: Literal["system", "user", "assistant"], text: str) -> Message:
    return Message(role=role, content=(Content(text=text),))


def _with_pictures(record: RecordBase, text: str) -> Message:
    pieces = _pieces(record, text, record.images)
    return Message(role="user", content=pieces)


def _pieces(record: RecordBase, text: str, images: tuple[Image, ...]) -> tuple[Content, ...]:
    if not images:
        return (Content(text=text),)
    texts = text.split(IMAGE_MARK)
    if len(texts) == 1:
        return (*(Content(image=image) for image in images), Content(text=text))
    if len(texts) - 1 != len(images):
        raise DataError(
            f"the text marks {len(texts) - 1} pictures and the record has {len(images)}",
            record=record.id,
        )
    pieces = [Content(text=texts[0])]
    for image, after in zip(images, texts[1:], strict=True):
        pieces += [Content(image=image), Content(text=after)]
    return tuple(piece for piece in pieces if piece.text != "")


def _dialogue(record: Dialogue) -> tuple[Message, ...]:
    marked = sum(turn.text.count(IMAGE_MARK) for turn in record.turns if turn.role == "user")
    left = list(record.images)
    messages = []
    for turn in record.turns:
        if turn.role != "user":
            messages.append(_plain(turn.role, turn.text))
            continue
        take = turn.text.count(IMAGE_MARK) if marked else len(left)
        mine, left = tuple(left[:take]), left[take:]
        messages.append(Message(role="user", content=_pieces(record, turn.text, mine)))
    if left:
        raise DataError(f"{len(left)} pictures have no place in the dialogue", record=record.id)
    return tuple(messages)


def _caption_instruction(record: Caption) -> str:
    lines = _prompt("caption", record.language).text.splitlines()
    # By the id, so that the same record is asked the same way on every machine.
    return lines[int(hashlib.sha256(record.id.encode()).hexdigest(), 16) % len(lines)]


@cache
def _prompt(kind: str, language: str) -> Prompt:
    name = f"{kind}.zh" if language.startswith("zh") else kind
    return load_prompt("lingshu_core", name)
