"""How long every sample of a manifest is, measured once and kept beside the manifest.

The lengths of pictures follow from the sizes that the records say, so nothing is decoded. With
them stand byte offsets, so that a sample is read without reading those before it.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from lingshu_core.console import progress, say
from lingshu_core.digest import digest
from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest, broken_line
from lingshu_core.records import RECORD
from lingshu_train.encode import UnfitError
from lingshu_train.kinds import task_of, traits
from lingshu_train.samples import Codec

FORMAT = "lingshu-lengths/1"
_SPAN = 4 << 20
_FEW = 16 << 20
"""Below this many bytes, starting processes takes longer than measuring."""


@dataclass(frozen=True)
class SetAside:
    """A record that is not learned from."""

    place: str
    """File and line, or file and byte."""
    record: str
    reason: str


@dataclass(frozen=True)
class Lengths:
    """One entry a usable record, in the order of the manifest."""

    part: NDArray[np.int32]
    offset: NDArray[np.int64]
    """Where its line starts, in bytes."""
    size: NDArray[np.int32]
    """Bytes of the line."""
    tokens: NDArray[np.int32]
    supervised: NDArray[np.int32]
    patches: NDArray[np.int32]
    source: NDArray[np.int32]
    """Place in `sources`."""
    task: NDArray[np.int32]
    """Place in `kinds.TASKS`."""
    traits: NDArray[np.uint16]
    """Bits of `kinds.Trait`."""
    draw: NDArray[np.uint32]
    """A hash of the id, by which shares are drawn."""
    sources: tuple[str, ...]
    set_aside: tuple[SetAside, ...]

    def __len__(self) -> int:
        """Returns how many records can be learned from."""
        return len(self.part)

    def chosen(self, stays: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Returns the numbers of the records that stay."""
        return np.flatnonzero(stays)

    def save(self, path: Path) -> None:
        """Writes the file so that it is whole or not there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        side = path.with_name(f".{path.name}.{os.getpid()}.npz")
        words = {
            "format": FORMAT,
            "sources": self.sources,
            "set_aside": [[item.place, item.record, item.reason] for item in self.set_aside],
        }
        text = np.frombuffer(json.dumps(words).encode(), dtype=np.uint8)
        np.savez(side, words=text, **{name: getattr(self, name) for name in _ARRAYS})
        side.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote."""
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            words = json.loads(file["words"].tobytes())
            arrays = {name: file[name] for name in _ARRAYS}
        return cls(
            **arrays,
            sources=tuple(words["sources"]),
            set_aside=tuple(SetAside(*item) for item in words["set_aside"]),
        )


_ARRAYS = {
    "part": np.int32, "offset": np.int64, "size": np.int32, "tokens": np.int32,
    "supervised": np.int32, "patches": np.int32, "source": np.int32, "task": np.int32,
    "traits": np.uint16,
    "draw": np.uint32,
}  # fmt: skip


def lengths_of(manifest: Manifest, codec: Codec, *, workers: int = 0) -> Lengths:
    """Returns the lengths of a manifest, measuring them where that has not been done.

    Args:
        manifest: What is measured; the result is kept in it, under a name that follows from its
            content, the tokenizer and the bounds of pictures. Where it cannot be written to, the
            lengths are measured anew each time.
        codec: Encodes the samples.
        workers: Processes to measure with.
    """
    key = digest({"format": FORMAT, "manifest": manifest.digest(), "codec": codec.identity()})[:20]
    kept = _folder(manifest) / f"{key}.npz"
    if kept.is_file():
        return Lengths.load(kept)
    lengths = measure(manifest, codec, workers=workers)
    try:
        lengths.save(kept)
    except OSError as error:
        say(f"the lengths of {manifest.path} cannot be kept beside it ({error.strerror})")
    return lengths


def measure(manifest: Manifest, codec: Codec, *, workers: int = 0) -> Lengths:
    """Reads every record once and returns the lengths of those that can be learned from."""
    spans = list(_spans(manifest.parts))
    small = sum(end - start for _, start, end in spans) <= _FEW
    jobs = [_Span(manifest.parts[part], part, start, end) for part, start, end in spans]
    if workers < 2 or small:
        found = (_measure(codec, job) for job in jobs)
        return _gathered(progress(found, "measuring", len(jobs)))
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_adopt, initargs=(codec,)
    ) as pool:
        return _gathered(progress(pool.map(_measure_adopted, jobs), "measuring", len(jobs)))


@dataclass(frozen=True)
class _Span:
    """The lines that begin in `[start, end)` of a part."""

    path: Path
    part: int
    start: int
    end: int


@dataclass
class _Measured:
    rows: list[tuple[int, ...]]
    sources: list[str]
    set_aside: list[SetAside]


_adopted: list[Codec] = []
"""The codec of a measuring process, which gets it once and not with every span."""


def _adopt(codec: Codec) -> None:
    _adopted[:] = [codec]


def _measure_adopted(span: _Span) -> _Measured:
    return _measure(_adopted[0], span)


def _measure(codec: Codec, span: _Span) -> _Measured:
    found = _Measured([], [], [])
    names: dict[str, int] = {}
    for offset, line in _lines(span.path, span.start, span.end):
        try:
            record = RECORD.validator.validate_json(line, strict=True)
            sample = codec.encode(record)
        except (ValidationError, UnfitError, DataError) as error:
            found.set_aside.append(_reason(span.path, offset, line, error))
            continue
        source = names.setdefault(record.source.dataset, len(names))
        draw = int.from_bytes(hashlib.sha256(record.id.encode()).digest()[:4], "big")
        found.rows.append((
            span.part, offset, len(line), sample.tokens, sample.supervised, sample.patches, source,
            task_of(record), int(traits(record)), draw,
        ))  # fmt: skip
    found.sources = list(names)
    return found


def _reason(path: Path, offset: int, line: bytes, error: Exception) -> SetAside:
    with path.open("rb") as file:
        number = file.read(offset).count(b"\n") + 1
    if isinstance(error, ValidationError):
        error = broken_line(path, number, error)
    message = error.message if isinstance(error, DataError) else str(error)
    match = re.search(rb'"id":\s*"([^"]{1,200})"', line)
    return SetAside(
        f"{path}:{number}", match.group(1).decode(errors="replace") if match else "", message
    )


def _gathered(parts: Iterable[_Measured]) -> Lengths:
    names: dict[str, int] = {}
    tables, set_aside = [np.empty((0, len(_ARRAYS)), dtype=np.int64)], []
    for part in parts:
        set_aside += part.set_aside
        if not part.rows:
            continue
        table = np.array(part.rows, dtype=np.int64)
        known = [names.setdefault(name, len(names)) for name in part.sources]
        column = list(_ARRAYS).index("source")
        table[:, column] = np.array(known)[table[:, column]]
        tables.append(table)
    whole = np.concatenate(tables)
    columns = {
        name: np.ascontiguousarray(whole[:, place]).astype(kind)
        for place, (name, kind) in enumerate(_ARRAYS.items())
    }
    return Lengths(**columns, sources=tuple(names), set_aside=tuple(set_aside))


def _spans(parts: Sequence[Path]) -> Iterator[tuple[int, int, int]]:
    for number, path in enumerate(parts):
        size = path.stat().st_size
        for start in range(0, size, _SPAN):
            yield number, start, min(start + _SPAN, size)


def _lines(path: Path, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yields the lines that begin in `[start, end)`."""
    with path.open("rb", buffering=1 << 20) as file:
        if start:
            file.seek(start - 1)
            file.readline()
        while (offset := file.tell()) < end:
            line = file.readline()
            if line.strip():
                yield offset, line


def _folder(manifest: Manifest) -> Path:
    path = manifest.path
    return path / ".lengths" if path.is_dir() else path.with_name(f".{path.name}.lengths")
