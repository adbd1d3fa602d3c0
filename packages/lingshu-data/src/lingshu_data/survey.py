"""What a report has to know of manifests: where records came from, how they look, why they went.

One pass counts everything; a second one fetches the few records that the page shows. Memory: 12
bytes a record, so that the flow between manifests is exact, some 30 more while they are compared,
and 8 bytes a duplicate.
"""

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from lingshu_core.console import progress
from lingshu_core.errors import SettingsError
from lingshu_core.files import HEADER_NAME
from lingshu_core.manifest import Manifest
from lingshu_core.records import RecordBase
from lingshu_data.assembly import DROPPED_NAME
from lingshu_data.ledger import lines_of
from lingshu_data.operators.mixture import is_synthetic
from lingshu_data.texts import hash64

_BESIDE = {DROPPED_NAME, "set-aside"}
"""Folders of what a command left out; no manifests of their own."""
_COPY = re.compile(r"#\d+$")
_EACH = 4
"""Dropped records of every reason that the page may show."""
_OVERLAP = "decontamination"
_ALIKE = re.compile(r"perceptual hash|same bytes")
_NOT_DATA = {"prediction", "score"}


@dataclass
class Index:
    """Which records there are, and where each came from at first."""

    ids: "array[int]" = field(default_factory=lambda: array("Q"))
    """Hashes of the ids, without what tells copies apart."""
    origins: "array[int]" = field(default_factory=lambda: array("L"))
    """Place of each record's dataset, or of who wrote it, among the names."""
    names: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, record: RecordBase) -> None:
        """Adds a record."""
        self.ids.append(hash64(_COPY.sub("", record.id)))
        self.origins.append(self.names.setdefault(origin(record), len(self.names)))

    def find(self, ids: np.ndarray) -> np.ndarray:
        """Returns the rows of ids, int64 (k,) for uint64 (k,); -1 where there is none."""
        order, known = self._sorted
        if not len(known):
            return np.full(len(ids), -1)
        places = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        return np.where(known[places] == ids, order[places], -1)

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        ids = np.array(self.ids, np.uint64)
        order = np.argsort(ids, kind="stable")
        return order, ids[order]


@dataclass
class Dropped:
    """What a command left out."""

    manifest: Manifest
    index: Index = field(default_factory=Index)
    reasons: "array[int]" = field(default_factory=lambda: array("L"))
    """Place of each record's reason among the names."""
    names: dict[str, int] = field(default_factory=dict)
    """`OPERATOR: REASON` with its place."""
    shown: dict[str, list[RecordBase]] = field(default_factory=lambda: defaultdict(list))
    """The first few of every reason."""
    stay: "array[int]" = field(default_factory=lambda: array("Q"))
    """For whom copies of pictures went: the hash of an id for each."""
    overlaps: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Dataset, evaluation item and reason."""

    def take(self, record: RecordBase) -> None:
        """Counts a record."""
        step, why = record.tags["dropped_by"], record.tags["dropped_reason"]
        what = f"{step}: {why}"
        self.index.take(record)
        self.reasons.append(self.names.setdefault(what, len(self.names)))
        if len(self.shown[what]) < _EACH:
            self.shown[what].append(record)
        kept = record.tags.get("dropped_for")
        if kept is None:
            return
        if step.startswith(_OVERLAP):
            self.overlaps[record.source.dataset, kept, why] += 1
        elif record.images and _ALIKE.search(why):
            self.stay.append(hash64(kept))


@dataclass
class Survey:
    """What one manifest holds."""

    manifest: Manifest
    label: str
    index: Index = field(default_factory=Index)
    modalities: Counter[str] = field(default_factory=Counter)
    words: Counter[int] = field(default_factory=Counter)
    """By the number of bits of the number of words."""
    sides: Counter[int] = field(default_factory=Counter)
    """Shorter sides of pictures, by the number of bits."""
    types: Counter[str] = field(default_factory=Counter)
    set_aside: int = 0
    dropped: Dropped | None = None

    def take(self, record: RecordBase) -> None:
        """Counts a record."""
        self.index.take(record)
        self.types[record.type] += 1
        if record.domain == "medical":
            self.modalities[str(record.modality)] += 1
        self.words[sum(len(text.split()) for text in record.texts()).bit_length()] += 1
        for image in record.images:
            self.sides[min(image.width, image.height).bit_length()] += 1

    @cached_property
    def digest(self) -> str:
        """Its identity, by which other manifests name it as their parent."""
        return self.manifest.digest()

    @property
    def parents(self) -> list[str]:
        """The identities of what it was made from.

        A part that holds all that was divided has the identity of the whole, and is no child of it.
        """
        header = self.manifest.header
        found = [parent.digest for parent in header.parents] if header else []
        return [parent for parent in found if parent != self.digest]


def origin(record: RecordBase) -> str:
    """Returns a record's dataset, or which synthesis wrote it."""
    if not is_synthetic(record):
        return record.source.dataset
    made = next(step for step in reversed(record.provenance) if step.package == "lingshu-synth")
    return f"synthesis: {made.operation.partition(':')[0]}"


def find(paths: Sequence[Path]) -> list[Survey]:
    """Returns the manifests below some folders, not yet counted, with names to tell them apart.

    Args:
        paths: Manifests, or folders that hold some at any depth.

    Raises:
        SettingsError: Below one of them there is no manifest.
        DataError: A header is broken.
    """
    found: dict[Path, str] = {}
    for path in paths:
        if path.is_file() or (path / HEADER_NAME).is_file():
            found[path] = path.name
            continue
        inside = [folder for folder in sorted(_below(path)) if _is_data(folder)]
        if not inside:
            raise SettingsError(f"{path}: there is no manifest in it")
        found |= {folder: folder.relative_to(path).as_posix() for folder in inside}
    return [
        Survey(Manifest(path), name) for path, name in zip(found, _told_apart(found), strict=True)
    ]


def _told_apart(found: Mapping[Path, str]) -> list[str]:
    """Returns the names of manifests, with the folders around them where names are the same."""
    names = list(found.values())
    paths = [path.resolve() for path in found]
    for depth in range(2, max(len(path.parts) for path in paths) + 1):
        many = Counter(names)
        for place, path in enumerate(paths):
            if many[names[place]] > 1:
                names[place] = "/".join(path.parts[-depth:])
    return names


def _below(folder: Path) -> Iterator[Path]:
    for header in folder.rglob(HEADER_NAME):
        inside = header.relative_to(folder).parts[:-1]
        if not _BESIDE.intersection(inside) and not any(part.startswith(".") for part in inside):
            yield header.parent


def _is_data(folder: Path) -> bool:
    header = Manifest(folder).header
    return header is not None and not _NOT_DATA.intersection(header.records)


def count(surveys: Sequence[Survey]) -> None:
    """Reads manifests and what was dropped beside them, once.

    Raises:
        DataError: A record is broken.
    """
    for survey in surveys:
        for record in progress(survey.manifest, survey.label, len(survey.manifest)):
            survey.take(record)
        folder = survey.manifest.path
        survey.set_aside = sum(1 for _ in lines_of(folder / "set-aside.jsonl"))
        if (folder / DROPPED_NAME / HEADER_NAME).is_file():
            survey.dropped = dropped = Dropped(Manifest(folder / DROPPED_NAME))
            for record in dropped.manifest:
                dropped.take(record)


@dataclass(frozen=True)
class Place:
    """A record and where its pictures start."""

    root: Path
    record: RecordBase


def fetch(surveys: Sequence[Survey], wanted: set[str]) -> dict[str, Place]:
    """Returns records by their ids, as far as some manifest holds them."""
    hashes = np.array(sorted(map(hash64, wanted)), np.uint64)
    found: dict[str, Place] = {}
    for survey in surveys:
        if len(found) < len(wanted) and (survey.index.find(hashes) >= 0).any():
            for record in survey.manifest:
                if record.id in wanted:
                    found.setdefault(record.id, Place(survey.manifest.root, record))
    return found


def clusters(survey: Survey, most: int, each: int) -> list[tuple[str, int, list[RecordBase]]]:
    """Returns the largest groups of copies of one picture.

    Args:
        survey: The manifest.
        most: How many groups.
        each: How many of a group's copies.

    Returns:
        Id of the record that stayed, number of its copies, and some of them; the largest first.
    """
    dropped = survey.dropped
    if dropped is None or not dropped.stay:
        return []
    hashes, counts = np.unique(np.array(dropped.stay, np.uint64), return_counts=True)
    largest = np.argsort(-counts, kind="stable")[:most]
    size = {int(hashes[place]): int(counts[place]) for place in largest}
    copies: dict[str, list[RecordBase]] = defaultdict(list)
    for record in dropped.manifest:
        kept = record.tags.get("dropped_for", "")
        if hash64(kept) in size and len(copies[kept]) < each:
            copies[kept].append(record)
    order = sorted(copies, key=lambda kept: (-size[hash64(kept)], kept))
    return [(kept, size[hash64(kept)], copies[kept]) for kept in order]
