"""`lingshu-data classify`: unknown modalities are found by looking, and a head is fitted to do so.

Pictures become vectors shard by shard, on any engine; the vectors stay in the working folder, so
that a killed run goes on and a head is fitted without looking again.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from lingshu_core import page
from lingshu_core.console import progress, say
from lingshu_core.digest import digest
from lingshu_core.errors import DataError, SettingsError, Stopped
from lingshu_core.files import fresh_folder
from lingshu_core.manifest import Manifest, Producer, broken_line
from lingshu_core.manifest_writer import ManifestWriter, already_made
from lingshu_core.modality import Modality
from lingshu_core.panels import Facts, Panel, Stats, Table
from lingshu_core.records import RECORD, RecordBase
from lingshu_data.clip import load_clip, prompt_vectors
from lingshu_data.display import Sampler, bars, count_table
from lingshu_data.engine import ENGINES, at
from lingshu_data.head import Head, fit, read_head
from lingshu_data.intake import PACKAGE, operation
from lingshu_data.keyfile import save_array
from lingshu_data.ledger import SET_ASIDE, append, aside_line, gap
from lingshu_data.looks import Looks
from lingshu_data.pictures import Unreadable
from lingshu_data.settings import ClassifySettings, Running
from lingshu_data.shards import Shard, cut
from lingshu_data.workdir import Workdir, finishing

_VECTORS, _PLACES = "vectors.npy", "places.npy"
_NO_PICTURE_KIND = {Modality.TEXT, Modality.UNKNOWN, Modality.OTHER}


@dataclass(frozen=True)
class Job:
    """One shard."""

    shard: Shard
    avoid: frozenset[int] = frozenset()

    @property
    def number(self) -> int:
        """The shard's number."""
        return self.shard.number


@dataclass(frozen=True)
class Task:
    """Makes vectors of the first pictures of one shard's records."""

    manifest: Path
    model: str
    batch: int
    workdir: Workdir
    uses_model = True

    def __call__(self, job: Job) -> None:
        """Writes the shard of a job."""
        looks = Looks(Manifest(self.manifest))
        places: list[int] = []
        vectors: list[np.ndarray] = []
        batch: list[Any] = []
        for place, (_, line) in enumerate(job.shard.read()):
            at(place)
            try:
                record = RECORD.validate_json(line, strict=True)
                if not record.images or place in job.avoid:
                    continue
                batch.append(load_clip(self.model).prepared(looks.of(record)[0].pixels))
            except (ValidationError, Unreadable, DataError):
                continue  # What cannot be seen keeps its label.
            places.append(place)
            if len(batch) == self.batch:
                vectors.append(load_clip(self.model).pictures(batch))
                batch = []
        if batch:
            vectors.append(load_clip(self.model).pictures(batch))
        with finishing(self.workdir.shard(0, job.number)) as folder:
            save_array(folder / _PLACES, np.array(places, np.int64))
            save_array(folder / _VECTORS, np.concatenate(vectors) if vectors else np.zeros((0, 0)))


@dataclass(frozen=True)
class Seen:
    """A record with the vector of its first picture."""

    record: RecordBase
    vector: np.ndarray | None


@dataclass(frozen=True)
class Aside:
    """A line that is no record, or a record whose files are not there."""

    kind: str
    line: bytes
    """What `set-aside.jsonl` says of it."""


def classify(path: Path, out: Path, settings: ClassifySettings, running: Running) -> None:
    """Fills in unknown modalities and reports how well the known ones are found.

    Args:
        path: The manifest.
        out: The manifest to write; what is no record stands in `set-aside.jsonl` beside it.
        settings: The model, and the head where there is one.
        running: Workers and engine.

    Raises:
        SettingsError: The model or the head is not there, or they do not belong together.
    """
    head = read_head(Path(settings.head)) if settings.head else None
    if head is not None and head.model != settings.model:
        raise SettingsError(f"the head was fitted to {head.model!r}, not to {settings.model!r}")
    manifest = Manifest(path)
    producer = _producer("classify", settings, head)
    if already_made(out, producer, [manifest.parent()]):
        say(f"{out}: made already, nothing to do")
        return
    workdir, shards = _vectors(manifest, out, settings, running)
    tally = Tally(head, settings)
    with ManifestWriter(out, producer=producer, parents=[manifest.parent()]) as writer:
        # A killed run may have come as far as this.
        (writer.folder / SET_ASIDE).unlink(missing_ok=True)
        for seen in _seen(manifest, workdir, shards):
            if isinstance(seen, Aside):
                append(writer.folder / SET_ASIDE, [seen.line])
                tally.set_aside[seen.kind] += 1
            else:
                writer.write(tally.labelled(seen), source=manifest)
        gap(sum(shard.lines for shard in shards), tally.records + tally.set_aside.total())
        settings.write(writer.folder / "settings.json")
        page.publish(writer.folder, tally.stats(writer.folder))
    workdir.remove()
    say(f"page: {out / page.PAGE_NAME}")


def fit_head(path: Path, out: Path, settings: ClassifySettings, running: Running) -> None:
    """Fits a head to the labelled pictures of a manifest and measures it on a part held out.

    Args:
        path: The manifest.
        out: The folder to write: `head.npz`, the statistics and the page.
        settings: The model.
        running: Workers and engine.
    """
    manifest = Manifest(path)
    workdir, shards = _vectors(manifest, out, settings, running)
    known: list[tuple[str, np.ndarray, bool]] = []
    aside = 0
    for seen in _seen(manifest, workdir, shards):
        if isinstance(seen, Aside):
            aside += 1
        elif seen.vector is not None and seen.record.modality not in _NO_PICTURE_KIND:
            is_held = _is_held_out(seen.record, settings)
            known.append((str(seen.record.modality), seen.vector, is_held))
    if not known:
        raise DataError("holds no picture with a known modality", path=path)
    vectors = np.stack([vector for _, vector, _ in known])
    labels = [label for label, _, _ in known]
    held = np.array([is_held for _, _, is_held in known])
    learned = [label for label, is_held in zip(labels, held, strict=True) if not is_held]
    head = fit(vectors[~held], learned, settings.model, settings.penalty)
    with fresh_folder(out) as folder:
        head.write(folder)
        settings.write(folder / "settings.json")
        wanted = [label for label, is_held in zip(labels, held, strict=True) if is_held]
        stats = _fit_stats(head, vectors[held], wanted, len(learned), aside)
        page.publish(folder, stats)
    workdir.remove()
    say(f"accuracy on {len(wanted)} held-out pictures: {stats.figures['accuracy']:.3f}")
    say(f"page: {out / page.PAGE_NAME}")


def _vectors(
    manifest: Manifest, out: Path, settings: ClassifySettings, running: Running
) -> tuple[Workdir, list[Shard]]:
    key = {"model": settings.model, "parent": manifest.digest()}
    workdir = Workdir(out, key)
    workdir.open()
    shards = list(cut([manifest]))
    share, of = running.part
    mine = (
        Job(shard)
        for shard in shards
        if shard.number % of == share and not workdir.is_done(0, shard.number)
    )
    task = Task(manifest.path, settings.model, settings.batch, workdir)
    engine = ENGINES.get(running.engine)
    for _ in progress(engine.run(task, mine, running.workers), "looking", len(shards)):
        pass
    if not all(workdir.is_done(0, shard.number) for shard in shards):
        raise Stopped("this share is done and others are not: give the same command again then")
    return workdir, shards


def _seen(manifest: Manifest, workdir: Workdir, shards: Sequence[Shard]) -> Iterator[Seen | Aside]:
    """Yields every line of a manifest, as a record with its vector or as what is set aside."""
    for shard in shards:
        folder = workdir.shard(0, shard.number)
        vectors = np.load(folder / _VECTORS)
        places = {int(place): row for row, place in enumerate(np.load(folder / _PLACES))}
        for place, (number, line) in enumerate(shard.read()):
            row = places.get(place)
            where = f"{Path(shard.part).name}:{number}"
            try:
                record = RECORD.validate_json(line, strict=True)
                for ref in record.files():
                    manifest.file(ref)
            except ValidationError as error:
                fault = broken_line(Path(where), number, error).message
                yield Aside("no record", aside_line(where, fault, "no record", line))
            except DataError as error:
                kind = "a file is missing"
                yield Aside(kind, aside_line(where, error.message, kind, line))
            else:
                yield Seen(record, None if row is None else vectors[row])


def _is_held_out(record: RecordBase, settings: ClassifySettings) -> bool:
    """Says whether a picture is for measuring: the publisher's test, else by group and hash."""
    if record.source.split is not None:
        return record.source.split == "test"
    place = int(digest([settings.seed, record.source.group or record.id])[:8], 16) / 2**32
    return place < settings.held_out


class Tally:
    """Labels records and counts what was found."""

    def __init__(self, head: Head | None, settings: ClassifySettings) -> None:
        self._head = head
        self._settings = settings
        self._found: Counter[str] = Counter()
        self._known: Counter[tuple[str, str]] = Counter()
        self._unsure = 0
        self._unseen = 0
        self._shown = Sampler()
        self.set_aside: Counter[str] = Counter()

    @property
    def records(self) -> int:
        """How many records were looked at, or had nothing to look at."""
        return self._found.total() + self._known.total() + self._unsure + self._unseen

    def labelled(self, seen: Seen) -> RecordBase:
        """Returns the record, with its modality where it was unknown and the finding is sure."""
        if seen.vector is None:
            self._unseen += 1
            return seen.record
        found, chance = self._look(seen.vector)
        if seen.record.modality != Modality.UNKNOWN:
            self._known[str(seen.record.modality), found] += 1
            return seen.record
        if chance < self._settings.least_chance:
            self._unsure += 1
            return seen.record
        self._found[found] += 1
        made = operation("classify").model_copy(update={"model": self._settings.model})
        record = seen.record.replace(
            modality=Modality(found),
            tags={**seen.record.tags, "modality_chance": f"{chance:.3f}"},
            provenance=(*seen.record.provenance, made),
        )
        self._shown.offer(record)
        return record

    def _look(self, vector: np.ndarray) -> tuple[str, float]:
        if self._head is not None:
            chances = self._head.chances(vector[None])[0]
            best = int(chances.argmax())
            return self._head.labels[best], float(chances[best])
        modalities, prompts = prompt_vectors(self._settings.model)
        scores = np.exp(100 * (prompts @ vector - (prompts @ vector).max()))
        best = int(scores.argmax())
        return str(modalities[best]), float(scores[best] / scores.sum())

    def stats(self, folder: Path) -> Stats:
        """Returns what the page shows."""
        right = sum(n for (known, found), n in self._known.items() if known == found)
        total = self._known.total()
        facts: dict[str, str | int | float | None] = {
            "filled in": self._found.total(),
            "left unknown": self._unsure,
            "known": total,
            "without a picture that can be seen": self._unseen,
            "set aside": self.set_aside.total(),
            "known found again": f"{right / total:.3f}" if total else None,
            "by": "a fitted head" if self._head else "prompts, zero-shot",
        }
        panels: list[Panel] = [
            Facts(title="Modalities found by looking", facts=facts),
            bars("Filled in", self._found),
        ]
        if total:
            panels.append(confusion(self._known))
        if self.set_aside:
            panels.append(count_table("Set aside", ("why", "lines"), self.set_aside))
        if self._shown.records:
            panels.append(self._shown.gallery(folder, title="Filled in"))
        return Stats(
            title="Modality classification",
            summary="Pictures without a label, by a model; labelled ones only measure it.",
            package=PACKAGE,
            version=version(PACKAGE),
            command="lingshu-data classify",
            counts={
                "in": self.records + self.set_aside.total(),
                "records": self.records,
                "filled_in": self._found.total(),
                "unsure": self._unsure,
                "known": total,
                "unseen": self._unseen,
                "set_aside": self.set_aside.total(),
            },
            figures={"accuracy": right / total} if total else {},
            panels=tuple(panels),
        )


def confusion(counts: Counter[tuple[str, str]]) -> Table:
    """Returns a table of what pictures are (rows) and were found to be (columns)."""
    names = sorted({name for pair in counts for name in pair})
    rows = tuple((known, *(counts[known, found] for found in names)) for known in names)
    note = "Rows: the label. Columns: what was found."
    return Table(title="Known modalities", note=note, columns=("", *names), rows=rows, wide=True)


def _fit_stats(
    head: Head, vectors: np.ndarray, wanted: list[str], learned: int, aside: int
) -> Stats:
    counts: Counter[tuple[str, str]] = Counter()
    if wanted:
        best = head.chances(vectors).argmax(axis=1)
        counts.update(
            (label, head.labels[int(place)]) for label, place in zip(wanted, best, strict=True)
        )
    right = sum(number for (label, found), number in counts.items() if label == found)
    accuracy = right / len(wanted) if wanted else 0.0
    facts: dict[str, str | int | float | None] = {
        "learned from": learned,
        "held out": len(wanted),
        "set aside": aside,
        "accuracy": f"{accuracy:.3f}",
        "modalities": len(head.labels),
    }
    panels: list[Panel] = [Facts(title="The head", facts=facts)]
    if counts:
        panels.append(confusion(counts))
    return Stats(
        title="Modality classifier",
        summary="A linear head on vectors of a CLIP model, measured on pictures held out.",
        package=PACKAGE,
        version=version(PACKAGE),
        command="lingshu-data classify --fit",
        counts={"learned": learned, "held_out": len(wanted), "set_aside": aside},
        figures={"accuracy": accuracy},
        panels=tuple(panels),
    )


def _producer(command: str, settings: ClassifySettings, head: Head | None) -> Producer:
    weights = None if head is None else digest(head.weights.tobytes().hex())
    return Producer(
        package=PACKAGE,
        version=version(PACKAGE),
        command=f"lingshu-data {command}",
        settings=digest({"settings": settings, "head": weights}),
    )
