"""What is known to be true and false of a picture, from its labels and its dataset's label space.

Template questions are put about facts (paper, section 2.2.3): the answer is the annotation, wrong
answers come from what the same dataset says of other pictures.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lingshu_core.records import AnswerKind, Imaging
from lingshu_synth.generator import Item
from lingshu_synth.naming import MODALITY_WORDS, level, overlaps, readable, same, side
from lingshu_synth.settings import Topic

_NOTHING_FOUND = {"no finding", "normal", "healthy", "negative", "none"}


@dataclass(frozen=True, slots=True)
class Value:
    """What can be an answer: the word itself, and the words for it inside a sentence."""

    word: str
    phrase: str


@dataclass(frozen=True, slots=True)
class Fact:
    """What is right and what is wrong about one side of a picture."""

    topic: Topic
    about: str
    """The table of wordings: `modality`, `organ`, `side`, `level`, `quarter`, `presence`."""
    right: tuple[Value, ...]
    wrong: tuple[Value, ...]
    """Of the dataset's label space, and not true of this picture: for options."""
    denied: tuple[Value, ...]
    """Known to be false of this picture: for questions whose answer is no."""
    kinds: tuple[AnswerKind, ...]
    subject: str = ""
    """What a position belongs to."""


@dataclass
class LabelSpace:
    """What one dataset distinguishes."""

    modalities: set[str] = field(default_factory=set)
    organs: set[str] = field(default_factory=set)
    findings: set[str] = field(default_factory=set)

    def add(self, record: Imaging) -> None:
        """Takes in what one record says."""
        if record.modality in MODALITY_WORDS:
            self.modalities.add(record.modality)
        if record.organ:
            self.organs.add(readable(record.organ))
        self.findings.update(_findings(record))


def label_spaces(records: Iterable[Imaging]) -> dict[str, LabelSpace]:
    """Returns the label space of every dataset among the records."""
    spaces: dict[str, LabelSpace] = defaultdict(LabelSpace)
    for record in records:
        spaces[record.source.dataset].add(record)
    return dict(spaces)


def facts(item: Item, space: LabelSpace, topics: tuple[Topic, ...]) -> list[Fact]:
    """Returns what can be asked about an item, in a fixed order."""
    record = item.record
    assert isinstance(record, Imaging)
    found: list[Fact] = []
    if "modality" in topics:
        found += _modality(record, space)
    if "organ" in topics:
        found += _organ(item, record, space)
    if "position" in topics:
        found += _positions(item)
    if "presence" in topics:
        found += _presence(item, record, space)
    return found


def _modality(record: Imaging, space: LabelSpace) -> Iterator[Fact]:
    if record.modality not in MODALITY_WORDS:
        return
    wrong = tuple(
        Value(*words)
        for modality, words in MODALITY_WORDS.items()
        if modality in space.modalities and modality != record.modality
    )
    yield Fact(
        "modality",
        "modality",
        (Value(*MODALITY_WORDS[record.modality]),),
        wrong,
        wrong,
        ("open", "closed", "choice") if wrong else ("open",),
    )


def _organ(item: Item, record: Imaging, space: LabelSpace) -> Iterator[Fact]:
    if not record.organ:
        return
    organ = readable(record.organ)
    shown = [organ, *(readable(box.label) for box in item.boxes if box.label)]
    wrong = tuple(
        Value(other, other)
        for other in sorted(space.organs)
        if not any(overlaps(other, name) for name in shown)
    )
    yield Fact(
        "organ",
        "organ",
        (Value(organ, organ),),
        wrong,
        wrong,
        ("open", "closed", "choice") if wrong else ("open",),
    )


def _positions(item: Item) -> Iterator[Fact]:
    if not item.shots:
        return
    width, height = item.shots[0].width, item.shots[0].height
    for subject in dict.fromkeys(readable(box.label) for box in item.boxes if box.label):
        boxes = tuple(b for b in item.boxes if b.label and readable(b.label) == subject)
        across, down = side(boxes, width), level(boxes, height)
        for about, word, pair in (
            ("side", across, ("left", "right")),
            ("level", down, ("upper", "lower")),
        ):
            if word is None:
                continue
            wrong = tuple(Value(other, other) for other in pair if other != word)
            right = (Value(word, word),)
            yield Fact("position", about, right, wrong, wrong, ("open", "closed"), subject)
        if across and down:
            yield _quarter(f"{down} {across}", subject)


def _quarter(where: str, subject: str) -> Fact:
    quarters = [f"{down} {across}" for down in ("upper", "lower") for across in ("left", "right")]
    wrong = tuple(Value(other, other) for other in quarters if other != where)
    return Fact("position", "quarter", (Value(where, where),), wrong, wrong, ("choice",), subject)


def _presence(item: Item, record: Imaging, space: LabelSpace) -> Iterator[Fact]:
    states: dict[str, str] = {}
    for label, state in record.labels.items():
        # Two spellings of one finding: what is seen outweighs what is not.
        name = readable(label)
        if states.get(name) != "present":
            states[name] = state
    states = {name: state for name, state in states.items() if name not in _NOTHING_FOUND}
    present = [name for name, state in states.items() if state == "present"]
    absent = [name for name, state in states.items() if state == "absent"]
    open_to_doubt = [name for name, state in states.items() if state != "absent"]
    open_to_doubt += _marked(item, record)
    others = [
        name
        for name in sorted(space.findings)
        if not any(same(name, known) or _related(name, known) for known in open_to_doubt)
    ]
    kinds: list[AnswerKind] = []
    if present or absent:
        kinds.append("closed")
    if len(present) == 1 and others:
        kinds.append("open")
    if present and others:
        kinds.append("choice")
    if kinds:
        yield Fact(
            "presence",
            "presence",
            tuple(Value(name, name) for name in present),
            tuple(Value(name, name) for name in others),
            tuple(Value(name, name) for name in absent),
            tuple(kinds),
        )


def _marked(item: Item, record: Imaging) -> list[str]:
    """Returns what is marked in the picture: it is there, whether a label says so or not."""
    named = [box.label for box in item.boxes]
    if record.volume is None:
        # Small regions are not shown, and are there all the same.
        named += [box.label for box in record.boxes]
        named += [label for mask in record.masks for label in mask.labels.values()]
    return [readable(label) for label in dict.fromkeys(named) if label]


def _related(one: str, other: str) -> bool:
    """Says whether one finding's name is part of the other's: `tumor`, `brain tumor`."""
    first, second = set(one.casefold().split()), set(other.casefold().split())
    return first <= second or second <= first


def _findings(record: Imaging) -> Iterator[str]:
    for label in record.labels:
        name = readable(label)
        if name.casefold() not in _NOTHING_FOUND:
            yield name
