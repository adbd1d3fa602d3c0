"""`lingshu-data classify`: unknown modalities are found by looking, and a head is fitted to do so.

`vectors.py` looks at the pictures; here their modalities are told, counted and shown.
"""

from collections import Counter
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from lingshu_core import page
from lingshu_core.console import say
from lingshu_core.digest import digest
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.files import fresh_folder
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.modality import Modality
from lingshu_core.panels import Facts, Panel, Stats, Table
from lingshu_core.records import RecordBase
from lingshu_data.clip import prompt_vectors
from lingshu_data.display import Sampler, bars, count_table
from lingshu_data.head import FILE_NAME, Head, fit, read_head
from lingshu_data.intake import PACKAGE, operation
from lingshu_data.ledger import SET_ASIDE, append, gap
from lingshu_data.settings import ClassifySettings, Running
from lingshu_data.vectors import Aside, Seen, say_plan, seen_of, vectors_of
from lingshu_data.workdir import is_made, say_made

_NO_PICTURE_KIND = {Modality.TEXT, Modality.UNKNOWN, Modality.OTHER}


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
    if is_made(out, producer, [manifest.parent()]):
        return
    if running.dry_run:
        say_plan(manifest, out, settings)
        return
    workdir, shards = vectors_of(manifest, out, settings, running)
    tally = Tally(head, settings)
    with ManifestWriter(out, producer=producer, parents=[manifest.parent()]) as writer:
        # A killed run may have come as far as this.
        (writer.folder / SET_ASIDE).unlink(missing_ok=True)
        for seen in seen_of(manifest, workdir, shards):
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

    Raises:
        SettingsError: Another head stands in the folder.
        DataError: No picture has a known modality, or all have the same.
    """
    manifest = Manifest(path)
    made = digest({"settings": settings, "parent": manifest.digest()})
    if _fitted_already(out, made):
        say_made(out)
        return
    if running.dry_run:
        say_plan(manifest, out, settings)
        return
    workdir, shards = vectors_of(manifest, out, settings, running)
    known: list[tuple[str, np.ndarray, bool]] = []
    aside = 0
    for seen in seen_of(manifest, workdir, shards):
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
        replace(head, made=made).write(folder)
        settings.write(folder / "settings.json")
        wanted = [label for label, is_held in zip(labels, held, strict=True) if is_held]
        stats = _fit_stats(head, vectors[held], wanted, len(learned), aside)
        page.publish(folder, stats)
    workdir.remove()
    say(f"accuracy on {len(wanted)} held-out pictures: {stats.figures['accuracy']:.3f}")
    say(f"page: {out / page.PAGE_NAME}")


def _fitted_already(out: Path, made: str) -> bool:
    """Says whether a head stands in a folder; SettingsError where it is another one."""
    if not (out / FILE_NAME).is_file():
        return False
    if read_head(out).made != made:
        raise SettingsError(
            f"{out} was fitted with other settings or to other pictures: remove it, or name "
            "another --out"
        )
    return True


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
