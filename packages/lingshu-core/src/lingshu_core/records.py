"""The typed records that pass between the packages, one JSON object a line.

Every record says what it is (`type`), has a stable `id` (`digest.record_id`), knows the dataset
it came from and lists the operations that made it. Within one manifest an id stands once.

Where a text belongs to pictures, `<image>` in it marks the place of the next picture; a text
without a mark comes after all its pictures. In a record without pictures the mark means nothing.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from lingshu_core.golds import Gold
from lingshu_core.modality import Modality

IMAGE_MARK = "<image>"

Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
"""A text that holds more than white space."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

_CHARACTER = r"[^/\\\x00-\x1f]"
_FIRST = r"[^/\\.\x00-\x1f]"
_SEGMENT = rf"(?:{_FIRST}{_CHARACTER}*|\.{_FIRST}{_CHARACTER}*|\.\.{_CHARACTER}+)"
PATH_PATTERN = rf"^{_SEGMENT}(?:/{_SEGMENT})*$"
RelativePath = Annotated[str, StringConstraints(pattern=PATH_PATTERN)]
"""A path below the manifest's folder: not absolute, no empty, `.` or `..` segment, no backslash
and no control character."""

Presence = Literal["present", "absent", "uncertain"]
AnswerKind = Literal["choice", "closed", "open"]
Verdict = Literal["right", "wrong", "unparsed", "unanswered", "unjudged"]


class Part(BaseModel):
    """Base of everything inside a record: immutable, finite, and an unknown field is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class FileRef(Part):
    """A file beside the manifest, named by its content."""

    path: RelativePath
    """Relative to the manifest's folder."""
    sha256: Sha256


class Image(FileRef):
    """One picture."""

    width: int = Field(gt=0)
    """In pixels."""
    height: int = Field(gt=0)
    """In pixels."""
    frame: int | None = Field(default=None, ge=0)
    """Which frame of a multi-frame file, from 0."""
    slice: int | None = Field(default=None, ge=0)
    """Which slice of a volume along z, from 0."""
    volume: str | None = None
    """What all slices and frames of one volume or series share; never a patient's identifier."""


class Volume(FileRef):
    """A three-dimensional picture as its publisher stores it (NIfTI, NRRD)."""

    shape: tuple[int, int, int]
    """Voxels along x, y, z."""
    spacing: tuple[float, float, float]
    """Millimetres between voxels along x, y, z."""
    orientation: str = Field(pattern=r"^[RL][AP][SI]$|^[A-Z]{3}$")
    """Where the axes point, as nibabel writes it: `RAS` is right, anterior, superior."""


class Box(Part):
    """A rectangle in a picture: `x`, `y` its upper left corner, all in pixels of the original."""

    x: float = Field(ge=0)
    y: float = Field(ge=0)
    width: float = Field(gt=0)
    height: float = Field(gt=0)
    label: str | None = None
    slice: int | None = Field(default=None, ge=0)
    """The slice it lies in, where the record holds a volume."""


class Mask(FileRef):
    """A label picture or label volume of the same shape as what it annotates."""

    labels: dict[str, str]
    """What each value of the mask stands for: `{"1": "left kidney"}`; 0 is background."""


class Source(Part):
    """Where a record comes from."""

    dataset: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    """The name of the dataset among the sources of lingshu-data."""
    licence: str
    """An SPDX identifier where there is one, else the publisher's words in short."""
    split: str | None = None
    """The publisher's split: `train`, `validation`, `test`."""
    rank: int = Field(default=50, ge=0, le=100)
    """How far the dataset is trusted, 0 most: of near-duplicates the lowest rank is kept."""
    group: str | None = None
    """What records share that must not be divided by a split: study, patient or picture, hashed."""


class Operation(Part):
    """One step of a record's making."""

    package: str
    version: str
    operation: str
    settings: str | None = None
    """Digest of the settings."""
    model: str | None = None
    """The model that was called, where one was; `offline-writer` and the like where none was."""
    endpoint: str | None = None
    """The kind of endpoint: `openai`, `vllm`, `offline`."""
    prompt: str | None = None
    """Name of the prompt."""
    prompt_sha256: Sha256 | None = None
    inputs: tuple[str, ...] = ()
    """What it was made from, beside the record itself: ids of records, keys of calls."""


class RecordBase(Part):
    """The fields that every record has."""

    SCHEMA: ClassVar[int] = 1

    type: str
    id: str = Field(min_length=1, max_length=200)
    source: Source
    domain: Literal["medical", "general"] = "medical"
    modality: Modality
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")
    """As BCP 47 writes it."""
    images: tuple[Image, ...] = ()
    tags: dict[str, str] = {}
    """What tables break down by: `topic`, `subject`, `difficulty`, `body_part` and others."""
    provenance: tuple[Operation, ...] = ()

    def replace(self, **changes: Any) -> Self:
        """Returns a copy with some fields changed, validated as a new record would be."""
        return type(self).model_validate({**self.__dict__, **changes})

    def files(self) -> tuple[FileRef, ...]:
        """Returns every file the record needs beside it."""
        return self.images

    def texts(self) -> tuple[str, ...]:
        """Returns the texts that a reader of the record sees, in order."""
        return ()


class Imaging(RecordBase):
    """A picture or a volume with what people annotated: the raw material of synthesis."""

    type: Literal["imaging"] = "imaging"
    volume: Volume | None = None
    labels: dict[str, Presence] = {}
    """What was looked for, and whether it is there: `{"pneumonia": "absent"}`."""
    organ: str | None = None
    view: str | None = None
    """Projection or plane: `PA`, `lateral`, `axial`."""
    sequence: str | None = None
    """MRI sequence, CT phase, stain."""
    laterality: Literal["left", "right", "bilateral"] | None = None
    boxes: tuple[Box, ...] = ()
    masks: tuple[Mask, ...] = ()
    metadata: dict[str, str | int | float | bool] = {}
    """What else the dataset says; patient identifiers never come this far."""

    @model_validator(mode="after")
    def _shows_something(self) -> Self:
        if not self.images and self.volume is None:
            raise ValueError("an imaging record needs a picture or a volume")
        return self

    def files(self) -> tuple[FileRef, ...]:
        """Returns the pictures, the volume and the masks."""
        volume = () if self.volume is None else (self.volume,)
        return (*self.images, *volume, *self.masks)


class Caption(RecordBase):
    """Pictures and a text that describes them."""

    type: Literal["caption"] = "caption"
    text: Text

    def texts(self) -> tuple[str, ...]:
        """Returns the caption."""
        return (self.text,)


class Option(Part):
    """One answer to choose from."""

    letter: str = Field(pattern=r"^[A-Z]$")
    text: Text


class Question(RecordBase):
    """A question with or without pictures, and its answer."""

    type: Literal["question"] = "question"
    question: Text
    answer: Text | None = None
    """The gold answer: for a choice its letter (letters in order where several are right), else
    the text. None, or left out, where the publisher withholds it."""
    answer_kind: AnswerKind
    """`choice` among options, `closed` for yes/no and the like, `open` for free words."""
    options: tuple[Option, ...] = ()
    rationale: Text | None = None
    gold: Gold | None = None
    """How an answer is verified by rule, where curation has decided it."""

    @model_validator(mode="after")
    def _answer_is_an_option(self) -> Self:
        if self.answer_kind != "choice":
            if self.options:
                raise ValueError(f"a {self.answer_kind} question has no options")
            return self
        letters = [option.letter for option in self.options]
        if len(letters) < 2 or len(set(letters)) != len(letters):
            raise ValueError("a choice needs two or more options with different letters")
        if self.answer is not None:
            chosen = list(self.answer)
            if not set(chosen) <= set(letters) or chosen != sorted(set(chosen)):
                raise ValueError(f"the answer {self.answer!r} is not among the letters {letters}")
        return self

    def option_text(self, letter: str) -> str:
        """Returns the text of the option with a letter; KeyError where there is none."""
        return {option.letter: option.text for option in self.options}[letter]

    def texts(self) -> tuple[str, ...]:
        """Returns question, options, answer and rationale."""
        tail = tuple(text for text in (self.answer, self.rationale) if text is not None)
        return (self.question, *(option.text for option in self.options), *tail)


class Report(RecordBase):
    """Pictures of one study and the radiologist's words."""

    type: Literal["report"] = "report"
    findings: str = ""
    impression: str = ""
    indication: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.findings.strip() and not self.impression.strip():
            raise ValueError("findings and impression are both empty")
        return self

    def texts(self) -> tuple[str, ...]:
        """Returns the sections that are there."""
        return tuple(t for t in (self.indication, self.findings, self.impression) if t)


class Turn(Part):
    """What one side says."""

    role: Literal["system", "user", "assistant"]
    text: Text


class Dialogue(RecordBase):
    """Two sides in turn; pictures belong to the first user turn unless marked elsewhere.

    One that ends with the user waits for an answer, as an item of a benchmark does.
    """

    type: Literal["dialogue"] = "dialogue"
    turns: tuple[Turn, ...] = Field(min_length=1)

    def texts(self) -> tuple[str, ...]:
        """Returns the turns."""
        return tuple(turn.text for turn in self.turns)


class Instruction(RecordBase):
    """A free instruction and its response."""

    type: Literal["instruction"] = "instruction"
    instruction: Text
    response: Text
    system: Text | None = None

    def texts(self) -> tuple[str, ...]:
        """Returns instruction and response."""
        return (self.instruction, self.response)


class Prediction(RecordBase):
    """What a model answered to one item; pictures and texts stay with the item."""

    type: Literal["prediction"] = "prediction"
    item: str
    """Id of the record that was asked."""
    task: str
    """Name of the benchmark, or of the training set it was asked from."""
    model: str
    prompt_sha256: Sha256
    """Of the messages as they were sent, pictures as their hashes."""
    response: str
    """Raw, as the model gave it."""
    finish_reason: Literal["stop", "length", "refusal", "content_filter", "error"]
    error: str | None = None
    """Why there is no answer, where `finish_reason` is `error`."""
    prompt_tokens: int | None = Field(default=None, ge=0)
    completion_tokens: int | None = Field(default=None, ge=0)
    latency: float | None = Field(default=None, ge=0)
    """Seconds from sending to the last token."""
    replica: int = Field(default=0, ge=0)
    """Which of several answers to the same item."""
    step: int | None = Field(default=None, ge=0)
    """Training step that asked, in reinforcement learning."""
    rewards: dict[str, float | None] = {}

    def texts(self) -> tuple[str, ...]:
        """Returns the response."""
        return (self.response,)


class Judgement(Part):
    """What a judging model said about one answer."""

    model: str
    prompt_sha256: Sha256
    raw: str
    verdict: Verdict


class Score(RecordBase):
    """How one prediction was scored under one profile."""

    type: Literal["score"] = "score"
    item: str
    task: str
    model: str
    profile: str
    metrics: dict[str, float] = {}
    parsed: str | None = None
    """The answer as it was read out of the response; None where none was found."""
    verdict: Verdict | None = None
    """None where the metrics say it all (reports)."""
    replica: int = Field(default=0, ge=0)
    judgements: tuple[Judgement, ...] = ()


Record = Annotated[
    Imaging | Caption | Question | Report | Dialogue | Instruction | Prediction | Score,
    Field(discriminator="type"),
]

RECORD: TypeAdapter[Record] = TypeAdapter(Record)

TYPES: dict[str, type[RecordBase]] = {
    "imaging": Imaging,
    "caption": Caption,
    "question": Question,
    "report": Report,
    "dialogue": Dialogue,
    "instruction": Instruction,
    "prediction": Prediction,
    "score": Score,
}


def dump_line(record: RecordBase) -> bytes:
    """Returns the record as its line in a manifest, without the line feed."""
    # By its own type's serializer: finding the type anew in the union would take twice the time.
    return record.__pydantic_serializer__.to_json(record, exclude_none=True)


def json_schema(name: str | None = None) -> dict[str, Any]:
    """Returns the JSON Schema of one record type, or of all of them told apart by `type`."""
    return RECORD.json_schema() if name is None else TYPES[name].model_json_schema()
