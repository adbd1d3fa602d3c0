"""Manifests as they are written: into a folder beside the final one, renamed when whole."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from lingshu_core.digest import digest, file_sha256
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.files import (
    claim_folder,
    empty_folder,
    link_or_copy,
    partial_folder,
    remove_folder,
    sync_folder,
    write_atomic,
)
from lingshu_core.manifest import (
    FORMAT,
    HEADER_NAME,
    Header,
    Kind,
    Manifest,
    Parent,
    PartInfo,
    Producer,
    is_finished,
)
from lingshu_core.records import TYPES, FileRef, RecordBase, dump_line

PART_BYTES = 64 << 20
_BLOCK = 1 << 20
_MAKER = ".maker"
"""Says in a partial folder what it is being made from."""


def already_made(out: Path, producer: Producer, parents: Sequence[Parent] = ()) -> bool:
    """Says whether `out` is finished and came from the same settings and the same parents.

    Raises:
        SettingsError: `out` is finished but came from something else.
    """
    if not is_finished(out):
        return False
    header = Manifest(out).header
    assert header is not None
    same_parents = [p.digest for p in header.parents] == [p.digest for p in parents]
    same_settings = (header.producer.package, header.producer.settings) == (
        producer.package,
        producer.settings,
    )
    if not (same_settings and same_parents):
        what = "other settings" if not same_settings else "other inputs"
        raise SettingsError(f"{out} was made with {what}: remove it, or name another --out")
    return True


class ManifestWriter:
    """Writes one manifest; used as a context manager.

    Everything goes to `.NAME.partial` beside the final folder, which appears by one rename when
    the block ends well. An exception leaves nothing; a kill leaves the partial folder, whose
    pictures the next writer of the same name takes over if it has the same settings and parents.

    Args:
        out: The folder that shall appear.
        producer: Who writes, with which settings.
        parents: What the records were made from.
        part_bytes: A part is closed when it has reached this size.

    Raises:
        SettingsError: `out` exists, or another process is writing it.
    """

    def __init__(
        self,
        out: Path | str,
        *,
        producer: Producer,
        parents: Sequence[Parent] = (),
        part_bytes: int = PART_BYTES,
    ) -> None:
        self.out = Path(out)
        self.folder = partial_folder(self.out)
        """Where files may be put that shall stand in the final folder."""
        self._producer = producer
        self._parents = tuple(parents)
        self._part_bytes = part_bytes
        self._lines: list[bytes] = []
        self._buffered = 0
        self._kinds: Counter[str] = Counter()
        self._parts: list[PartInfo] = []
        self._part = _OpenPart(self.folder, 0)
        self._claim = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(claim_folder(self.out))
            self._take_over()
            self._claim = stack.pop_all()
        return self

    def _take_over(self) -> None:
        # First of all: with its header a folder looks finished.
        (self.folder / HEADER_NAME).unlink(missing_ok=True)
        maker = digest({"producer": self._producer, "parents": [p.digest for p in self._parents]})
        mark = self.folder / _MAKER
        if mark.is_file() and mark.read_text(encoding="utf-8") != maker:
            empty_folder(self.folder)
        for left in (*self.folder.glob("part-*.jsonl"), *self.folder.rglob(".*.tmp")):
            left.unlink()
        write_atomic(mark, maker)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._claim:
            try:
                if error is None:
                    self._finish()
                    return
            except BaseException:
                self._abandon()
                raise
            self._abandon()

    def _abandon(self) -> None:
        self._part.discard()
        remove_folder(self.folder)

    def write(self, record: RecordBase, *, source: Manifest | None = None) -> None:
        """Adds a record, and its files where they lie beside another manifest.

        Args:
            record: What is written next.
            source: The manifest whose folder holds the record's files; they are linked, or copied
                where the file system cannot link. None where the files were put here already.

        Raises:
            DataError: A file of the record is not there, or another one has its name already.
        """
        if source is not None:
            for ref in record.files():
                self._take_file(ref, source, record.id)
        line = dump_line(record)
        self._kinds[record.type] += 1
        self._lines.append(line)
        self._buffered += len(line) + 1
        if self._buffered >= _BLOCK:
            self._flush()

    def _take_file(self, ref: FileRef, source: Manifest, record: str) -> None:
        origin, target = source.file(ref, record=record), self._place(ref, record)
        # Names that hold the hash, as ours do, cannot stand for two files.
        if ref.sha256 not in ref.path and target.exists():
            if file_sha256(origin) != file_sha256(target):
                raise DataError(
                    f"another picture has the name {ref.path!r} already",
                    path=source.path,
                    record=record,
                )
            return
        link_or_copy(origin, target)

    def _place(self, ref: FileRef, record: str | None = None) -> Path:
        name = ref.path
        if name in {HEADER_NAME, _MAKER} or (name.startswith("part-") and "/" not in name):
            raise DataError(f"the name {name!r} belongs to the manifest itself", record=record)
        return self.folder / name

    def add_file(self, content: bytes | Path, *, suffix: str, folder: str = "images") -> FileRef:
        """Puts a file into the manifest under the name of its content.

        Args:
            content: The bytes, or a file to copy.
            suffix: With its dot: `.png`.
            folder: `images` for pictures, `files` for volumes and masks.
        """
        data = content.read_bytes() if isinstance(content, Path) else content
        sha = hashlib.sha256(data).hexdigest()
        ref = FileRef(path=f"{folder}/{sha[:2]}/{sha}{suffix}", sha256=sha)
        self.put_file(ref, data)
        return ref

    def put_file(self, ref: FileRef, data: bytes) -> None:
        """Puts a file into the manifest under the name that a record has for it."""
        target = self._place(ref)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        # By way of another name, so that a cut file never stands under its own.
        side = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        side.write_bytes(data)
        side.replace(target)

    def _flush(self) -> None:
        if not self._lines:
            return
        lines, self._lines, self._buffered = self._lines, [], 0
        start = 0
        while start < len(lines):
            # A part ends with the line that fills it, wherever the buffer happens to end.
            end, size = start, self._part.size
            while end < len(lines) and size < self._part_bytes:
                size += len(lines[end]) + 1
                end += 1
            self._part.append(lines[start:end])
            if size >= self._part_bytes:
                self._close_part()
            start = end

    def _close_part(self) -> None:
        self._parts.append(self._part.close())
        self._part = _OpenPart(self.folder, len(self._parts))

    def _finish(self) -> None:
        self._flush()
        if self._part.count:
            self._close_part()
        header = Header(
            format=FORMAT,
            records={
                name: Kind(count=self._kinds[name], version=TYPES[name].SCHEMA)
                for name in sorted(self._kinds)
            },
            count=sum(self._kinds.values()),
            parts=tuple(self._parts),
            producer=self._producer,
            parents=self._parents,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        text = header.model_dump_json(indent=2, by_alias=True) + "\n"
        write_atomic(self.folder / HEADER_NAME, text)
        (self.folder / _MAKER).unlink()
        self.folder.rename(self.out)
        sync_folder(self.out.parent)


class _OpenPart:
    """The part that is being written; its file appears with the first line."""

    def __init__(self, folder: Path, number: int) -> None:
        self._path = folder / f"part-{number:05}.jsonl"
        self._file: BinaryIO | None = None
        self._sha = hashlib.sha256()
        self.size = 0
        self.count = 0

    def append(self, lines: list[bytes]) -> None:
        if self._file is None:
            # Never through a name that is there: it could be a link to a part of another manifest.
            self._file = self._path.open("xb")
        block = b"\n".join(lines) + b"\n"
        self._sha.update(block)
        self._file.write(block)
        self.size += len(block)
        self.count += len(lines)

    def close(self) -> PartInfo:
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return PartInfo(
            path=self._path.name, count=self.count, bytes=self.size, sha256=self._sha.hexdigest()
        )

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
