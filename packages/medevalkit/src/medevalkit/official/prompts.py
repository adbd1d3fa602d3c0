"""The official kit's prompts, to the byte; they did not change between its two revisions.

They stand in `prompts/NAME.prompt`, which no editor may trim: `choice`, `yesno`, `closed`, `open`,
`mmmu-choice`, `mmmu-open`, `report` and `judge`, with `.think` where the answer shall stand in a
box and `.zh` in Chinese.
"""

from functools import cache
from importlib.resources import files
from string import Template

from lingshu_core.errors import DataError
from lingshu_core.messages import Content, Message
from lingshu_core.records import IMAGE_MARK, Image, Question, RecordBase, Report
from medevalkit.benchmark import Benchmark, Official
from medevalkit.official.grading import labelled


def render(record: RecordBase, benchmark: Benchmark | None, *, think: bool) -> tuple[Message, ...]:
    """Returns an item as the official kit puts it; DataError where it has no prompt for it."""
    official = benchmark.official if benchmark else Official()
    images = record.images[:1] if official.parser == "mmmu" else record.images
    if isinstance(record, Report):
        text = official.report.format(prompt=template("report").substitute())
    elif isinstance(record, Question):
        text = _question(record, official, think=think)
    else:
        raise DataError(f"the official kit has no prompt for a {record.type}", record=record.id)
    return (Message(role="user", content=(*_pictures(images), Content(text=text))),)


@cache
def template(name: str) -> Template:
    """Returns a prompt with its placeholders."""
    path = files("medevalkit.official").joinpath("prompts", f"{name}.prompt")
    return Template(path.read_bytes().decode())


def _question(record: Question, official: Official, *, think: bool) -> str:
    question = official.question(record) if official.question else record.question
    fields = {"question": question.replace(IMAGE_MARK, "")}
    kind = _kind(record, official)
    if record.answer_kind == "choice":
        end = "\n" if official.parser == "mmmu" else ""
        fields["options"] = "\n".join(labelled(record, official)) + end
    chinese = record.language.startswith("zh") and official.parser != "mmmu"
    name = kind + (".think" if think else "") + (".zh" if chinese else "")
    return template(name).substitute(fields)


def _kind(record: Question, official: Official) -> str:
    if official.parser == "mmmu":
        return "mmmu-choice" if record.answer_kind == "choice" else "mmmu-open"
    if record.answer_kind == "closed":
        return "yesno" if record.answer in {"yes", "no"} else "closed"
    return record.answer_kind


def _pictures(images: tuple[Image, ...]) -> list[Content]:
    if len(images) == 1:
        return [Content(image=images[0])]
    pieces = []
    for number, image in enumerate(images, 1):
        pieces += [Content(text=f"<image_{number}>: "), Content(image=image)]
    return pieces
