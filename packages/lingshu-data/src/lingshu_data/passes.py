"""Records through a list of operators, shard by shard.

The steps are divided into legs at the operators that compare records. A leg runs over every shard
on its own, on whatever engine; between two legs one process settles from the keys which records go,
and the next leg leaves them out. Every leg's shards are folders in the run's working folder:

    leg-0/000000/    kept.jsonl dropped.jsonl set-aside.jsonl counts.json keys.bin
    leg-0-settled/   000000.jsonl: index, reason, value and kept id of what goes
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest, broken_line
from lingshu_core.records import RECORD, RecordBase, dump_line
from lingshu_data.engine import ENGINES, at
from lingshu_data.intake import operation
from lingshu_data.keyfile import Columns, read_column, write_keys
from lingshu_data.ledger import (
    COUNTS,
    DROPPED,
    KEPT,
    SET_ASIDE,
    Account,
    Drop,
    ShardWriter,
    lines_of,
    marked,
)
from lingshu_data.looks import Looks
from lingshu_data.operator import (
    Address,
    Grouping,
    Item,
    Local,
    Policy,
    Settled,
    Step,
    operator_named,
)
from lingshu_data.settings import Running
from lingshu_data.shards import Shard, ShardJob, cut
from lingshu_data.workdir import Workdir, finishing

_KEYS = "keys.bin"
_PLACE = ("index", "u4")
"""The first column of all keys: which line of the shard they are of."""


@dataclass(frozen=True)
class Planned:
    """A step of a recipe, checked and labelled."""

    label: str
    settings: Policy

    def __reduce__(self) -> tuple[Any, ...]:
        """Goes to workers by the operator's name: the class may come from a file of a plug-in."""
        return _planned, (self.label, self.settings.model_dump())

    @cached_property
    def step(self) -> Step:
        """The operator, ready to work; built once in every process."""
        return _built(self.settings)


def _planned(label: str, values: dict[str, Any]) -> Planned:
    return Planned(label, operator_named(values["operator"]).settings.model_validate(values))


@cache
def _built(settings: Policy) -> Step:
    return operator_named(settings.operator).build(settings)


@dataclass(frozen=True)
class Leg:
    """Steps that need one record at a time, and at most one that compares, at the end."""

    number: int
    locals: tuple[Planned, ...]
    grouping: Planned | None


def legs_of(steps: Sequence[Planned]) -> tuple[Leg, ...]:
    """Divides steps into legs."""
    found: list[Leg] = []
    pending: list[Planned] = []
    for planned in steps:
        if isinstance(planned.step, Grouping):
            found.append(Leg(len(found), tuple(pending), planned))
            pending = []
        else:
            pending.append(planned)
    if pending or not found:
        found.append(Leg(len(found), tuple(pending), None))
    return tuple(found)


@dataclass(frozen=True)
class Passes:
    """A run of steps over some manifests."""

    manifests: tuple[Path, ...]
    legs: tuple[Leg, ...]
    workdir: Workdir
    changes: str
    """What the provenance of a changed record says: a digest of the settings."""

    def run(self, running: Running) -> list[Shard] | None:
        """Runs all legs; returns the shards, None where some are left to others."""
        engine = ENGINES.get(running.engine)
        share, of = running.part
        shards = list(cut([Manifest(path) for path in self.manifests]))
        for leg in self.legs:
            mine = (
                ShardJob(shard)
                for shard in shards
                if shard.number % of == share and not self.workdir.is_done(leg.number, shard.number)
            )
            for _ in engine.run(LegTask(self, leg.number), mine, running.workers):
                pass
            if not all(self.workdir.is_done(leg.number, shard.number) for shard in shards):
                return None
            if leg.grouping is not None:
                self._settle(leg, len(shards))
        return shards

    def kept(self, shard: int) -> Iterator[RecordBase]:
        """Yields the records of a shard that stay after the last leg."""
        for line, gone in self.after(self.legs[-1], shard):
            if gone is None:
                yield RECORD.validate_json(line)

    def named(self, shard: int, ids: Collection[str]) -> Iterator[RecordBase]:
        """Yields the records of a shard that stay and have one of a few ids."""
        wanted = [json.dumps(name, ensure_ascii=False).encode() for name in ids]
        for line, gone in self.after(self.legs[-1], shard):
            # Most lines hold none of them, in these letters or others, and need not be validated.
            if gone is None and (b"\\" in line or any(name in line for name in wanted)):
                record = RECORD.validate_json(line)
                if record.id in ids:
                    yield record

    def after(self, leg: Leg, shard: int) -> Iterator[tuple[bytes, RecordBase | None]]:
        """Yields the records that stood at the end of a leg, as lines.

        A record that goes because another stays comes with its marked copy.
        """
        gone = self._gone(leg, shard)
        for index, line in enumerate(lines_of(self.workdir.shard(leg.number, shard) / KEPT)):
            settled = gone.get(index)
            if settled is None:
                yield line, None
            else:
                assert leg.grouping is not None
                record = RECORD.validate_json(line)
                yield line, marked(record, leg.grouping.label, Drop(**settled))

    def dropped(self, shard: int) -> Iterator[RecordBase]:
        """Yields the records of a shard that were dropped, marked, in the order of the legs."""
        for leg in self.legs:
            for line in lines_of(self.workdir.shard(leg.number, shard) / DROPPED):
                yield RECORD.validate_json(line)
        for _, gone in self.after(self.legs[-1], shard):
            if gone is not None:
                yield gone

    def set_aside(self, shard: int) -> Iterator[bytes]:
        """Yields what was set aside of a shard, as lines of JSON."""
        for leg in self.legs:
            yield from lines_of(self.workdir.shard(leg.number, shard) / SET_ASIDE)

    def account(self, shard: int) -> Account:
        """Returns the account of a shard over all legs."""
        whole = Account()
        for leg in self.legs:
            found = Account.read(self.workdir.shard(leg.number, shard) / COUNTS)
            whole.add(replace(found, taken=found.taken if leg.number == 0 else 0, kept=0))
        for _, gone in self.after(self.legs[-1], shard):
            if gone is None:
                whole.kept += 1
            else:
                whole.dropped[f"{gone.tags['dropped_by']}: {gone.tags['dropped_reason']}"] += 1
        return whole

    def _settle(self, leg: Leg, shards: int) -> None:
        target = self.workdir.beside(leg.number, "settled")
        if target.is_dir():
            return
        assert leg.grouping is not None
        step = leg.grouping.step
        assert isinstance(step, Grouping)
        keys = StoredKeys(self.workdir, leg.number, shards, step.columns)
        settled = sorted(step.settle(keys), key=lambda item: item.address)
        kept = sorted({item.kept for item in settled if item.kept is not None})
        ids = {address: record.id for address, record in keys.records(kept)}
        with finishing(target) as folder:
            _write_settled(folder, settled, ids)

    def _gone(self, leg: Leg, shard: int) -> dict[int, dict[str, Any]]:
        """Returns what was settled to go of a shard: reason, value and kept id by index."""
        path = self.workdir.beside(leg.number, "settled") / f"{shard:06}.jsonl"
        if leg.grouping is None or not path.is_file():
            return {}
        found = (json.loads(line) for line in lines_of(path))
        return {item.pop("index"): item for item in found}


@dataclass(frozen=True)
class LegTask:
    """Does one leg of one shard."""

    passes: Passes
    number: int

    def __call__(self, job: ShardJob) -> None:
        """Writes the shard of a job."""
        leg = self.passes.legs[self.number]
        target = self.passes.workdir.shard(leg.number, job.number)
        manifest = Manifest(self.passes.manifests[job.shard.manifest])
        with finishing(target) as folder, ShardWriter(folder) as writer:
            looks = Looks(manifest)
            worker = _Worker(self.passes, leg, writer, looks)
            if leg.number == 0:
                lines = self._first(job, (manifest, looks), writer)
            else:
                lines = self._next(job, leg, writer)
            for index, (place, line, record) in enumerate(lines):
                at(index)
                if index in job.avoid:
                    message = "kills the process that reads it"
                    writer.set_aside(place, message, kind=message, line=line)
                else:
                    worker.take(line, record)
            worker.finish(folder)

    def _first(
        self, job: ShardJob, data: tuple[Manifest, Looks], writer: ShardWriter
    ) -> Iterator[tuple[str, bytes, RecordBase]]:
        """Yields the records of a manifest's lines with their places, setting aside others."""
        manifest, looks = data
        for number, line in job.shard.read():
            writer.account.taken += 1
            place = f"{Path(job.shard.part).name}:{number}"
            try:
                record = RECORD.validate_json(line, strict=True)
                # Finding a file takes as long as validating a record; for pictures it is done once.
                looks.of(record)
                for ref in record.files()[len(record.images) :]:
                    manifest.file(ref)
            except ValidationError as error:
                fault = broken_line(Path(place), number, error)
                writer.set_aside(place, fault.message, kind="no record", line=line)
            except DataError as error:
                writer.set_aside(place, error.message, kind="a file is missing", line=line)
            else:
                yield place, line, record

    def _next(
        self, job: ShardJob, leg: Leg, writer: ShardWriter
    ) -> Iterator[tuple[str, bytes, RecordBase]]:
        """Yields the records that the leg before has left, dropping what was settled since."""
        before = self.passes.legs[leg.number - 1]
        for line, gone in self.passes.after(before, job.number):
            writer.account.taken += 1
            if gone is not None:
                writer.drop(dump_line(gone), gone.tags["dropped_by"], gone.tags["dropped_reason"])
            else:
                record = RECORD.validate_json(line)
                yield f"record {record.id}", line, record


@dataclass
class _Worker:
    """Takes the records of one shard through one leg."""

    passes: Passes
    leg: Leg
    writer: ShardWriter
    looks: Looks
    keys: list[tuple[Any, ...]] = field(default_factory=list)

    def take(self, line: bytes, record: RecordBase) -> None:
        """Keeps or drops a record, and notes its keys."""
        for planned in self.leg.locals:
            if not planned.settings.covers(record):
                continue
            assert isinstance(planned.step, Local)
            verdict = planned.step.judge(Item(record, self.looks))
            if isinstance(verdict, Drop):
                self._drop(record, planned.label, verdict)
                return
            if verdict is not record:
                made = operation(f"curate: {planned.label}", self.passes.changes)
                record = verdict.replace(provenance=(*verdict.provenance, made))
                line = dump_line(record)
                self.writer.account.notes[f"{planned.label}: changed"] += 1
        grouping = self.leg.grouping
        if grouping is not None and grouping.settings.covers(record):
            assert isinstance(grouping.step, Grouping)
            keys = grouping.step.keys(Item(record, self.looks))
            if isinstance(keys, Drop):
                self._drop(record, grouping.label, keys)
                return
            if keys is not None:
                self.keys.append((self.writer.account.kept, *keys))
        self.writer.keep(line)

    def finish(self, folder: Path) -> None:
        """Writes the keys."""
        if self.leg.grouping is not None:
            assert isinstance(self.leg.grouping.step, Grouping)
            columns = [_PLACE, *self.leg.grouping.step.columns]
            rows = self.leg.grouping.step.complete(self.keys)
            write_keys(folder / _KEYS, columns, rows)

    def _drop(self, record: RecordBase, label: str, drop: Drop) -> None:
        self.writer.drop(dump_line(marked(record, label, drop)), label, drop.reason)


class StoredKeys:
    """The keys that a leg has written, read column by column."""

    def __init__(self, workdir: Workdir, leg: int, shards: int, columns: Columns) -> None:
        self._folders = [workdir.shard(leg, number) for number in range(shards)]
        self._columns = (_PLACE, *columns)

    def addresses(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns shard and index of every row of keys, uint32."""
        indexes = [self._read(folder, "index") for folder in self._folders]
        numbers = [np.full(len(part), number, np.uint32) for number, part in enumerate(indexes)]
        empty = np.zeros(0, np.uint32)
        return np.concatenate([empty, *numbers]), np.concatenate([empty, *indexes])

    def column(self, name: str, part: int | None = None) -> np.ndarray:
        """Returns one column of the keys, or one part of a wide one, all shards together."""
        parts = [self._read(folder, name, part) for folder in self._folders]
        return np.concatenate(parts) if parts else np.zeros(0, np.uint64)

    def records(self, addresses: Iterable[Address]) -> Iterator[tuple[Address, RecordBase]]:
        """Yields some records by their addresses, which are in order."""
        wanted: dict[int, set[int]] = {}
        for shard, index in addresses:
            wanted.setdefault(shard, set()).add(index)
        for shard in sorted(wanted):
            for index, line in enumerate(lines_of(self._folders[shard] / KEPT)):
                if index in wanted[shard]:
                    yield Address(shard, index), RECORD.validate_json(line)

    def _read(self, folder: Path, name: str, part: int | None = None) -> np.ndarray:
        return read_column(folder / _KEYS, self._columns, name, part)


def _write_settled(folder: Path, settled: Iterable[Settled], ids: dict[Address, str]) -> None:
    lines: dict[int, list[str]] = {}
    for item in settled:
        values = {
            "index": item.address.row,
            "reason": item.reason,
            "value": item.value,
            "kept": None if item.kept is None else ids[item.kept],
        }
        lines.setdefault(item.address.shard, []).append(json.dumps(values, ensure_ascii=False))
    for shard, found in lines.items():
        (folder / f"{shard:06}.jsonl").write_text("\n".join(found) + "\n", encoding="utf-8")
