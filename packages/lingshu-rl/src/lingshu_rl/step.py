"""What a step of curation is: its settings, and one pass over the questions."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.recipe import Recipe, check
from lingshu_core.records import Question, dump_line
from lingshu_core.registry import Registry


@dataclass(frozen=True)
class Item:
    """A question on its way through the steps."""

    question: Question
    source: Manifest
    """Where its pictures lie."""
    distractors: tuple[str, ...] = ()
    """Wrong answers that are known: what its options said before it was opened."""

    def having(self, **changes: object) -> "Item":
        """Returns the item with some fields of its question changed."""
        return replace(self, question=self.question.replace(**changes))


@dataclass
class Desk:
    """What the steps share: the seed, a place for journals, and the book of what was dropped."""

    seed: int
    journals: Path
    """A folder that survives a kill, for answers that were costly to get."""
    dropped: ManifestWriter | None = None
    step: str = ""
    """Name of the step that is at work."""
    drops: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By step and reason."""
    notes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What was changed, by step."""
    examples: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict)
    """A few questions before and after, for the page."""

    def drop(self, item: Item, reason: str) -> None:
        """Takes a question out and writes down why."""
        self.drops[self.step, reason] += 1
        if self.dropped is not None:
            tags = {**item.question.tags, "dropped": f"{self.step}: {reason}"}
            self.dropped.write(item.question.replace(tags=tags), source=item.source)

    def note(self, what: str, before: str = "", after: str = "") -> None:
        """Counts a change, and keeps the first few for the page."""
        self.notes[self.step, what] += 1
        kept = self.examples.setdefault((self.step, what), [])
        if before and len(kept) < 6:
            kept.append((before, after))


class Step(Recipe):
    """A step of curation; its fields are its settings.

    A step yields the items that stay, changed or not, in the order in which they came, and hands
    the others to `desk.drop`.
    """

    rereads: ClassVar[bool] = False
    """Whether it passes over its input more than once: it is then given a `Spool`."""

    def run(self, items: Iterable[Item], desk: Desk) -> Iterator[Item]:
        """Yields what stays."""
        raise NotImplementedError


STEPS: Registry[type] = Registry(
    folder="lingshu_rl.steps", group="lingshu_rl.steps", attribute="STEP", kind=type
)


def load_step(
    settings: Mapping[str, object], shared: Mapping[str, object] | None = None
) -> tuple[str, Step]:
    """Returns name and step of an entry of a recipe.

    Args:
        settings: The entry: `use` and the settings of the step.
        shared: What the recipe names once for all steps that want it: `checkpoint`, `against`.

    Raises:
        SettingsError: There is no such step, or its settings are wrong.
    """
    name = str(settings["use"])
    model: type[Step] = STEPS.get(name)
    rest = {key: value for key, value in settings.items() if key != "use"}
    for key, value in (shared or {}).items():
        if key in model.model_fields and key not in rest:
            if not value:
                raise SettingsError(f"step {name!r} needs {key!r}: give --set {key}=…")
            rest[key] = value
    return name, check(model, rest, where=f"step {name!r}")


class Spool:
    """Items on disk, to be passed over more than once without holding them in memory."""

    def __init__(self, items: Iterable[Item], folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed in __exit__
        self._sources: list[Manifest] = []
        places: dict[int, int] = {}
        self.count = 0
        for item in items:
            if id(item.source) not in places:
                places[id(item.source)] = len(self._sources)
                self._sources.append(item.source)
            head = json.dumps([places[id(item.source)], item.distractors]).encode()
            self._file.write(head + b"\n" + dump_line(item.question) + b"\n")
            self.count += 1

    def __iter__(self) -> Iterator[Item]:
        """Yields the items in order."""
        self._file.seek(0)
        while head := self._file.readline():
            place, distractors = json.loads(head)
            question = Question.model_validate_json(self._file.readline())
            yield Item(question, self._sources[place], tuple(distractors))

    def __enter__(self) -> Self:
        """Returns the spool."""
        return self

    def __exit__(self, *_: object) -> None:
        """Frees the disk."""
        self._file.close()
