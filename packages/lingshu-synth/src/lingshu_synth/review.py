"""Samples for doctors to look at, and their verdicts as a manifest that filters."""

import base64
import hashlib
import heapq
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lingshu_core.digest import digest, record_id
from lingshu_core.errors import DataError
from lingshu_core.files import fresh_folder, write_atomic
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter, already_made
from lingshu_core.page import publish
from lingshu_core.panels import Gallery, Marked, Panel, Picture, Stats
from lingshu_core.records import Box, Judgement, Operation, Record, RecordBase, Score, Verdict
from lingshu_synth.generator import PACKAGE, package_version
from lingshu_synth.journal import NAME, JournalReader
from lingshu_synth.overlay import draw_boxes
from lingshu_synth.phrasing import rank
from lingshu_synth.replies import read_reply
from lingshu_synth.review_formats import FORMATS, Given, Task
from lingshu_synth.studio import png, read_picture

_PICTURES = "pictures"
_SIDE = 768
_PROFILE = "review"
Look = Literal["plain", "strong", "soft", "label"]


@dataclass(frozen=True)
class Stage:
    """One call that went into a record."""

    name: str
    model: str
    asked: str
    """What the record brought into the prompt."""
    said: str
    boxes: tuple[Box, ...] = ()
    """What was marked in the picture that went along."""


@dataclass(frozen=True)
class Sample:
    """A record with what went into it."""

    record: Record
    stages: tuple[Stage, ...] = ()
    pictures: tuple[str, ...] = field(default=())
    """Paths below the folder of the review: the picture, and the picture as it was marked."""


def export(path: Path, out: Path, *, count: int, seed: int, journal: Path | None) -> int:
    """Writes a sample as a page and as files for Label Studio and Argilla; returns its size.

    Args:
        path: The manifest that a generator wrote.
        out: Folder that shall appear.
        count: Records in the sample.
        seed: What it is drawn by.
        journal: Folder of the journal that holds the stages; None: beside the manifest.

    Raises:
        SettingsError: `out` exists.
        DataError: The manifest or the journal cannot be read.
    """
    manifest = Manifest(path)
    file = (journal or path.absolute().parent / "synth-journal") / NAME
    with fresh_folder(out) as folder:
        (folder / _PICTURES).mkdir()
        samples = [
            _with_pictures(Sample(record, tuple(_stages(record, file))), manifest, folder)
            for record in draw(manifest, count, seed)
        ]
        tasks = [_task(sample, folder) for sample in samples]
        for name, form in FORMATS.items():
            for file_name, text in form.write(tasks).items():
                write_atomic(folder / name / file_name, text)
        publish(folder, _page(samples, path))
    return len(samples)


def draw(manifest: Manifest, count: int, seed: int) -> list[Record]:
    """Returns records drawn by a hash of seed and id, in the order of the manifest."""
    drawn = heapq.nsmallest(
        count, ((rank(seed, record.id), number) for number, record in enumerate(manifest))
    )
    wanted = {number for _, number in drawn}
    return [record for number, record in enumerate(manifest) if number in wanted]


def read_verdicts(path: Path, of: Path, out: Path) -> int:
    """Turns an export of Label Studio or Argilla into a manifest of scores; returns how many.

    Args:
        path: The file that the tool wrote.
        of: The manifest that was reviewed.
        out: Folder that shall appear.

    Raises:
        DataError: The file is of no known form, or speaks of records that the manifest lacks.
    """
    manifest = Manifest(of)
    verdicts: dict[str, list[Given]] = defaultdict(list)
    for given in _parse(path):
        verdicts[given.record].append(given)
    producer = _producer("verdicts", {"file": digest(path.read_text(encoding="utf-8"))})
    with ManifestWriter(out, producer=producer, parents=[manifest.parent()]) as writer:
        count = 0
        for record in manifest:
            for given in verdicts.pop(record.id, ()):
                writer.write(_score(record, given))
                count += 1
        if verdicts:
            raise DataError(
                f"{len(verdicts)} verdicts are about records that {of} does not hold, "
                f"such as {next(iter(verdicts))}",
                path=path,
            )
    return count


def keep_approved(path: Path, scores: Path, out: Path, *, reviewed_only: bool) -> dict[str, int]:
    """Writes the records that reviewers let pass; returns how many of each kind there were.

    Where reviewers differ the majority counts, and a tie does not pass.

    Args:
        path: The manifest that was reviewed.
        scores: The manifest of scores that `read_verdicts` wrote.
        out: Folder that shall appear.
        reviewed_only: Whether records that nobody looked at are left out too.
    """
    manifest, judged = Manifest(path), Manifest(scores)
    balance: dict[str, int] = defaultdict(int)
    for score in judged.of(Score):
        balance[score.item] += 1 if score.verdict == "right" else -1
    producer = _producer("filter", {"reviewed_only": reviewed_only})
    parents = [manifest.parent(), judged.parent()]
    counts = {"approved": 0, "rejected": 0, "not_reviewed": 0}
    if already_made(out, producer, parents):
        return counts | {"approved": len(Manifest(out))}
    with ManifestWriter(out, producer=producer, parents=parents) as writer:
        for record in manifest:
            if record.id not in balance:
                kind, kept = "not_reviewed", not reviewed_only
            else:
                kept = balance[record.id] > 0
                kind = "approved" if kept else "rejected"
            counts[kind] += 1
            if kept:
                writer.write(record, source=manifest)
    return counts


def _producer(verb: str, settings: dict[str, Any]) -> Producer:
    return Producer(
        package=PACKAGE,
        version=package_version(),
        command=f"{PACKAGE} review {verb}",
        settings=digest(settings),
    )


def _stages(record: RecordBase, journal: Path) -> Iterator[Stage]:
    """Yields the calls that went into a record, as far as the journal holds them."""
    calls = [operation for operation in record.provenance if operation.prompt and operation.inputs]
    if not calls or not journal.is_file():
        return
    with closing(JournalReader(journal)) as reader:
        for operation in calls:
            stage = _stage(operation, reader)
            if stage is not None:
                yield stage


def _stage(operation: Operation, reader: JournalReader) -> Stage | None:
    key = operation.inputs[-1]
    known = reader.find(key) if len(key) == 64 else None
    if known is None or known.stored is None:
        return None
    body = reader.body(known.id)
    asked, boxes = [], []
    for message in body["messages"]:
        for piece in message["content"]:
            if isinstance(piece, dict):
                boxes += piece["picture"].get("boxes", [])
            elif message["role"] == "user":
                asked.append(piece)
    marked = tuple(
        Box(x=x, y=y, width=width, height=height, label=label)
        for x, y, width, height, label in boxes
    )
    said = read_reply(key, known.stored).text
    return Stage(operation.operation, operation.model or "", "\n".join(asked), said, marked)


def _with_pictures(sample: Sample, manifest: Manifest, folder: Path) -> Sample:
    record = sample.record
    if not record.images:
        return sample
    try:
        picture = read_picture(manifest.file(record.images[0], record=record.id))
    except DataError:
        return sample
    name = hashlib.sha256(record.id.encode()).hexdigest()[:16]
    shown = [(f"{_PICTURES}/{name}.png", picture)]
    marked = next((stage.boxes for stage in sample.stages if stage.boxes), ())
    if marked:
        shown.append((f"{_PICTURES}/{name}-marked.png", draw_boxes(picture, marked)))
    for path, image in shown:
        image.thumbnail((_SIDE, _SIDE))
        (folder / path).write_bytes(png(image))
    return Sample(record, sample.stages, tuple(path for path, _ in shown))


def _task(sample: Sample, folder: Path) -> Task:
    picture = ""
    if sample.pictures:
        data = base64.b64encode((folder / sample.pictures[0]).read_bytes()).decode()
        picture = f"data:image/png;base64,{data}"
    stages = "\n\n".join(f"{stage.name}\n{stage.said}" for stage in sample.stages)
    record = sample.record
    return Task(record.id, picture, "\n".join(record.texts()), stages, record.modality)


def _page(samples: Sequence[Sample], path: Path) -> Stats:
    panels: list[Panel] = []
    for sample in samples:
        record = sample.record
        if sample.pictures:
            names = ("as it is", "as it was marked")
            pictures = tuple(
                Picture(path=picture, caption=name, badge=record.modality)
                for picture, name in zip(sample.pictures, names, strict=False)
            )
            panels.append(Gallery(title=record.id, pictures=pictures, wide=True))
        title = "" if sample.pictures else record.id
        panels.append(Marked(title=title, passages=tuple(_passages(sample)), wide=True))
    return Stats(
        title=f"Sample of {path.name}",
        summary=f"{len(samples)} records with what went into them.",
        package=PACKAGE,
        version=package_version(),
        command=f"{PACKAGE} review export",
        counts={"sample": len(samples)},
        panels=tuple(panels),
    )


def _passages(sample: Sample) -> Iterator[tuple[str, Look]]:
    """Yields for each stage its name, what was asked and what was said, and the text in the end."""
    for stage in sample.stages:
        yield f"{stage.name} · {stage.model}", "label"
        yield f"\n{stage.asked.strip()}\n\n", "soft"
        yield f"{stage.said.strip()}\n\n", "plain"
    yield "result", "label"
    yield "\n" + "\n".join(sample.record.texts()), "strong"


def _parse(path: Path) -> Iterator[Given]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"is no JSON ({error})", path=path) from None
    for form in FORMATS.values():
        found = form.read(data)
        if found is not None:
            return found
    raise DataError(f"is no export of {' or '.join(FORMATS)}", path=path)


def _score(record: RecordBase, given: Given) -> Score:
    verdict: Verdict = "right" if given.keep else "wrong"
    # Who reviewed stays with the tool; that two verdicts are of two people is told.
    reviewer = hashlib.sha256(f"reviewer/{given.reviewer}".encode()).hexdigest()
    model = next((o.model for o in reversed(record.provenance) if o.model), "unknown")
    return Score(
        id=record_id(record.source.dataset, _PROFILE, record.id, reviewer),
        source=record.source,
        domain=record.domain,
        modality=record.modality,
        language=record.language,
        item=record.id,
        task=record.source.dataset,
        model=model,
        profile=_PROFILE,
        verdict=verdict,
        judgements=(
            Judgement(
                model=f"reviewer-{reviewer[:12]}",
                prompt_sha256=hashlib.sha256(b"keep or reject").hexdigest(),
                raw=given.comment,
                verdict=verdict,
            ),
        ),
    )
