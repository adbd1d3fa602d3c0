"""Pictures as vectors of a model, shard by shard, on any engine.

The vectors stay in the working folder, so that a killed run goes on and a head is fitted without
looking again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from lingshu_core.console import progress, say
from lingshu_core.errors import DataError, Stopped
from lingshu_core.manifest import Manifest, broken_line
from lingshu_core.records import RECORD, RecordBase
from lingshu_data.clip import load_clip
from lingshu_data.engine import ENGINES, at
from lingshu_data.keyfile import save_array
from lingshu_data.ledger import aside_line
from lingshu_data.looks import Looks
from lingshu_data.pictures import Unreadable
from lingshu_data.settings import ClassifySettings, Running
from lingshu_data.shards import Shard, ShardJob, cut
from lingshu_data.workdir import Workdir, finishing

_VECTORS, _PLACES = "vectors.npy", "places.npy"


@dataclass(frozen=True)
class Task:
    """Makes vectors of the first pictures of one shard's records."""

    manifest: Path
    model: str
    batch: int
    workdir: Workdir
    uses_model = True

    def __call__(self, job: ShardJob) -> None:
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


def _workdir(manifest: Manifest, out: Path, settings: ClassifySettings) -> Workdir:
    return Workdir(out, {"model": settings.model, "parent": manifest.digest()})


def say_plan(manifest: Manifest, out: Path, settings: ClassifySettings) -> None:
    """Says what a run would do and how far it is, and writes nothing."""
    workdir, shards = _workdir(manifest, out, settings), list(cut([manifest]))
    done = sum(workdir.is_done(0, shard.number) for shard in shards)
    lines = sum(shard.lines for shard in shards)
    say(f"{lines:,} records in {len(shards):,} shards, {done:,} of them looked at")
    say(f"{settings.model} would look; {out} would be written; nothing was")


def vectors_of(
    manifest: Manifest, out: Path, settings: ClassifySettings, running: Running
) -> tuple[Workdir, list[Shard]]:
    """Looks at every picture of a manifest; returns where the vectors are, and the shards.

    Raises:
        Stopped: Some shards are left to other shares of the run.
    """
    workdir = _workdir(manifest, out, settings)
    workdir.open()
    shards = list(cut([manifest]))
    share, of = running.part
    mine = (
        ShardJob(shard)
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


def seen_of(
    manifest: Manifest, workdir: Workdir, shards: Sequence[Shard]
) -> Iterator[Seen | Aside]:
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
