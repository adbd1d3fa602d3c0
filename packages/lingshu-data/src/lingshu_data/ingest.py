"""`lingshu-data ingest`: a dataset as its publisher lays it out becomes a manifest."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from lingshu_core import page
from lingshu_core.console import progress, say
from lingshu_core.digest import digest
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.files import link_or_copy
from lingshu_core.fingerprint import of_input
from lingshu_core.manifest import Parent, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.panels import Facts, Panel, Stats
from lingshu_core.records import RECORD, RecordBase, dump_line
from lingshu_core.records import Source as SourcePart
from lingshu_data.display import Sampler, bars, count_table
from lingshu_data.engine import ENGINES, at
from lingshu_data.hub import Snapshot, download
from lingshu_data.intake import PACKAGE, Intake, MissingFile
from lingshu_data.keyfile import save_array
from lingshu_data.ledger import (
    COUNTS,
    KEPT,
    SET_ASIDE,
    Account,
    ShardWriter,
    append,
    aside_line,
    gap,
    lines_of,
)
from lingshu_data.reader import Broken, Row, matching
from lingshu_data.settings import Running
from lingshu_data.source import SOURCES, Card, Source, SourceSettings
from lingshu_data.workdir import Workdir, finishing, is_made, naming

_IDS = "ids.npy"
_MISSHAPEN = (LookupError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True)
class Job:
    """Some entries of a reader."""

    number: int
    entries: tuple[Any, ...]
    avoid: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Task:
    """Makes records of the rows of one job."""

    source: str
    root: Path
    settings: SourceSettings
    workdir: Workdir

    def __reduce__(self) -> tuple[Any, ...]:
        """Goes to workers by the source's name: its settings may be of a class from a file."""
        return _task, (self.source, self.root, self.settings.model_dump(), self.workdir)

    def __call__(self, job: Job) -> None:
        """Writes the shard of a job."""
        source = _known(self.source)
        with finishing(self.workdir.shard(0, job.number)) as folder, ShardWriter(folder) as writer:
            intake = self._intake(source)
            ids = []
            for index, row in enumerate(source.reader.rows(self.root, job.entries)):
                at(index)
                writer.account.taken += 1
                if index in job.avoid:
                    row = Broken(row.place, "kills the process that reads it")
                records = _records(source, row, intake, writer)
                writer.account.used += bool(records)
                for record in records:
                    writer.keep(dump_line(record))
                    ids.append(_hash_of(record.id))
            writer.account.notes += intake.notes
            save_array(folder / _IDS, np.asarray(ids, np.uint64))

    def _intake(self, source: Source) -> Intake:
        card = source.card
        part = SourcePart(dataset=name_of(self.source), licence=card.licence, rank=card.rank)
        defaults = {"domain": source.domain, "language": source.language}
        return Intake(part, self.root, self.workdir.files, self.settings, defaults)


def _task(source: str, root: Path, values: dict[str, Any], workdir: Workdir) -> Task:
    return Task(source, root, _known(source).settings.model_validate(values), workdir)


@cache
def _known(name: str) -> Source:
    """Returns a source, looked for once in every process: looking asks every installed package."""
    return SOURCES.get(name)


def name_of(source: str) -> str:
    """Returns the dataset's name in records: that of its file, with `-`."""
    return Path(source.partition(".py:")[0]).name.replace("_", "-").lower()


def ingest(
    name: str, path: Path | None, out: Path, settings: SourceSettings, running: Running
) -> None:
    """Reads a dataset into a manifest.

    Args:
        name: Its name among the sources.
        path: Its folder; None where it needs none.
        out: The manifest to write. Rows that became no record, and records that came again, stand
            in `set-aside.jsonl` beside it with the reason.
        settings: The source's settings.
        running: Workers and engine.

    Raises:
        SettingsError: No such source, or no path where one is needed.
        DataError: The layout is not the dataset's; the missing file is named.
    """
    source = SOURCES.get(name)
    root = _root(source, name, path)
    parents = [_parent(root)] if path else []
    producer = Producer(
        package=PACKAGE,
        version=version(PACKAGE),
        command=f"lingshu-data ingest {name_of(name)}",
        settings=digest({"source": name_of(name), "settings": settings}),
    )
    if is_made(out, producer, parents):
        return
    workdir = Workdir(out, {"producer": producer, "parents": [p.digest for p in parents]})
    if running.dry_run:
        _say_plan(_jobs(source, root, settings), workdir, out)
        return
    workdir.open()
    share, of = running.part
    jobs = _jobs(source, root, settings)
    mine = (job for job in jobs if job.number % of == share and not workdir.is_done(0, job.number))
    task = Task(name, root, settings, workdir)
    for _ in progress(ENGINES.get(running.engine).run(task, mine, running.workers), "shards"):
        pass
    count = sum(1 for _ in _jobs(source, root, settings))
    if missing := [number for number in range(count) if not workdir.is_done(0, number)]:
        say(f"{len(missing)} of {count} shards are left to other shares; the last one writes {out}")
        return
    with naming(out), ManifestWriter(out, producer=producer, parents=parents) as writer:
        _assemble(writer, [workdir.shard(0, number) for number in range(count)], workdir, name)
        settings.write(writer.folder / "settings.json")
    workdir.remove()
    say(f"page: {out / page.PAGE_NAME}")


def _say_plan(jobs: Iterator[Job], workdir: Workdir, out: Path) -> None:
    sizes = {job.number: len(job.entries) for job in jobs}
    done = sum(workdir.is_done(0, number) for number in sizes)
    say(f"{sum(sizes.values()):,} entries in {len(sizes):,} shards, {done:,} of them finished")
    say(f"{out} would be written; nothing was")


def _root(source: Source, name: str, path: Path | None) -> Path:
    if path is None:
        if source.reader.needs or source.expects:
            raise SettingsError(f"where does {name} lie? Give --path DIR, {_or_hub(source.card)}")
        return Path()
    if not path.is_dir():
        raise SettingsError(f"{path}: there is no such folder")
    for pattern in (*source.reader.at(path).needs, *source.expects):
        try:
            matching(path, pattern)
        except DataError as error:
            raise DataError(f"{error.message}; {source.card.layout}", path=path) from None
    return path


def _or_hub(card: Card) -> str:
    if card.hub is not None:
        return f"or --hub to take it from {card.hub}"
    return f"a copy from {card.home}"


def _parent(root: Path) -> Parent:
    snapshot = Snapshot.at(root)
    return snapshot.parent() if snapshot else Parent(path=str(root), digest=of_input(root))


def from_hub(name: str) -> Path:
    """Returns where a dataset of the hub lies after it was downloaded, or was before.

    Raises:
        SettingsError: It is not on the hub, or the extra is not installed.
        DataError: The hub does not give it.
    """
    card = SOURCES.get(name).card
    if card.hub is None:
        raise SettingsError(f"{name} is not on the hub: give --path DIR, {_or_hub(card)}")
    return download(card.hub, card.hub_revision)


def _jobs(source: Source, root: Path, settings: SourceSettings) -> Iterator[Job]:
    entries = islice(source.reader.entries(root, settings), settings.limit)
    number = 0
    while batch := tuple(islice(entries, source.reader.at(root).batch)):
        yield Job(number, batch)
        number += 1


def _records(
    source: Source, row: Row | Broken, intake: Intake, writer: ShardWriter
) -> list[RecordBase]:
    """Returns the records of a row; a row that makes none is set aside whole."""
    if isinstance(row, Broken):
        writer.set_aside(row.place, row.reason, kind="unreadable row")
        return []
    try:
        made = list(source.records(row, intake))
    except MissingFile as error:
        writer.set_aside(row.place, error.message, kind="a file is missing")
    except DataError as error:
        kind = getattr(error, "reason", None) or f"{error.field or 'row'}: {error.message}"
        writer.set_aside(row.place, str(error), kind=kind[:80])
    except _MISSHAPEN as error:
        # A row of another shape than its source knows: a column missing, a list for a text.
        message = f"is not as expected: {type(error).__name__}: {error}"
        writer.set_aside(row.place, message, kind="not as expected")
    else:
        if not made:
            writer.set_aside(row.place, "makes no record", kind="makes no record")
        return made
    return []


@dataclass
class _Seen:
    """What is counted on the way through the records."""

    account: Account = field(default_factory=Account)
    repeated: Counter[str] = field(default_factory=Counter)
    """Records that came again, by kind; they are not among the rows set aside."""
    types: Counter[str] = field(default_factory=Counter)
    modalities: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    sampler: Sampler = field(default_factory=Sampler)


def _assemble(writer: ManifestWriter, shards: Sequence[Path], workdir: Workdir, name: str) -> None:
    seen = _Seen()
    first = _First(_repeated(shards))
    aside = writer.folder / SET_ASIDE
    aside.unlink(missing_ok=True)
    for shard in progress(shards, "writing", len(shards)):
        seen.account.add(Account.read(shard / COUNTS))
        append(aside, lines_of(shard / SET_ASIDE))
        for line in lines_of(shard / KEPT):
            record = RECORD.validate_json(line, strict=True)
            if kind := first.before(record.id, line):
                seen.repeated[kind] += 1
                reason = f"has the id of a record that is kept: {record.id}"
                append(aside, [aside_line(f"record {record.id}", reason, kind, line)])
                continue
            for ref in record.files():
                link_or_copy(workdir.files / ref.path, writer.folder / ref.path)
            writer.write(record)
            _count(record, seen)
    _check(seen)
    _publish(writer.folder, name, seen)


class _First:
    """Tells records that came before, knowing of which ids that can be."""

    def __init__(self, twice: set[int]) -> None:
        self._twice = twice
        self._lines: dict[str, str] = {}

    def before(self, name: str, line: bytes) -> str:
        """Returns in what way a record came before; empty for the first of its id."""
        if _hash_of(name) not in self._twice:
            return ""
        mine = hashlib.sha256(line).hexdigest()
        theirs = self._lines.get(name)
        if theirs is None:
            self._lines[name] = mine
            return ""
        return "the same record again" if mine == theirs else "the same row, told otherwise"


def _hash_of(name: str) -> int:
    return int(digest(name)[:16], 16)


def _check(seen: _Seen) -> None:
    """Makes sure that every row became records or was set aside, and every record was written."""
    account = seen.account
    gap(account.taken, account.used + account.set_aside.total())
    gap(account.kept, seen.types.total() + seen.repeated.total())


def _repeated(shards: Sequence[Path]) -> set[int]:
    """Returns the hashes of ids that stand more than once; 16 bytes a record while it looks."""
    arrays = [np.load(shard / _IDS) for shard in shards]
    ids = np.sort(np.concatenate(arrays)) if arrays else np.zeros(0, np.uint64)
    return {int(value) for value in ids[1:][ids[1:] == ids[:-1]]}


def _count(record: RecordBase, seen: _Seen) -> None:
    seen.types[record.type] += 1
    seen.modalities[str(record.modality)] += 1
    seen.splits[record.source.split or "none"] += 1
    seen.sampler.offer(record)


def _publish(folder: Path, name: str, seen: _Seen) -> None:
    account = seen.account
    card = SOURCES.get(name).card
    aside = sum(account.set_aside.values())
    facts: dict[str, str | int | float | None] = {
        "rows read": account.taken,
        "rows that became records": account.used,
        "rows set aside": aside,
        "records made": account.kept,
        "records that came again": seen.repeated.total(),
        "records": seen.types.total(),
        **seen.types,
        **{f"split {split}": number for split, number in sorted(seen.splits.items())},
    }
    panels: list[Panel] = [
        Facts(
            title="What came in",
            facts=facts,
            note=f"What is set aside or came again stands in {SET_ASIDE} with the reason.",
        ),
        bars("Modalities", seen.modalities),
    ]
    if account.set_aside:
        panels.append(count_table("Rows set aside", ("why", "rows"), account.set_aside))
    if seen.repeated:
        panels.append(count_table("Records again", ("how", "records"), seen.repeated))
    if account.notes:
        panels.append(count_table("Left out of records", ("what", "times"), account.notes))
    if seen.sampler.records:
        panels.append(seen.sampler.gallery(folder, title="Pictures that came in"))
    counts = {
        "rows": account.taken,
        "used": account.used,
        "set_aside": aside,
        "made": account.kept,
        "repeated": seen.repeated.total(),
        "records": seen.types.total(),
        **seen.types,
    }
    stats = Stats(
        title=f"Ingest of {card.title}",
        summary=f"{card.what} Licence: {card.licence}. {card.citation}",
        package=PACKAGE,
        version=version(PACKAGE),
        command=f"lingshu-data ingest {name_of(name)}",
        counts=counts,
        panels=tuple(panels),
    )
    page.publish(folder, stats)
