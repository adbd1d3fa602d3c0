"""Merging manifests and dividing one by what must stay together."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from lingshu_core.console import progress
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.files import fresh_folder
from lingshu_core.ids import Ids
from lingshu_core.making import Making
from lingshu_core.manifest import Manifest
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import RecordBase
from lingshu_core.tally import Tally, tally_panels

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_Side = Callable[[RecordBase], str]


def merge(manifests: Sequence[Manifest], out: Path) -> int:
    """Writes the records of several manifests into one, in the order given; returns how many.

    Raises:
        DataError: An id stands in two of them, or a record or a picture is broken.
    """
    making = Making(command="lingshu manifest merge", inputs=tuple(m.digest() for m in manifests))
    if making.is_done(out):
        return len(Manifest(out))
    started = time.monotonic()
    tallies = {str(manifest.path): Tally() for manifest in manifests}
    parents = [manifest.parent() for manifest in manifests]
    with ManifestWriter(out, producer=making.producer(), parents=parents) as writer, Ids() as ids:
        for manifest in manifests:
            for record in progress(manifest, f"merge {manifest.path}", _count(manifest)):
                writer.write(record, source=manifest)
                ids.add(record.id)
                tallies[str(manifest.path)].add(record)
        _refuse_repeated(manifests, ids)
        count = sum(tally.records for tally in tallies.values())
        making.publish(
            writer.folder,
            title=f"{len(manifests)} manifests merged",
            seconds=time.monotonic() - started,
            counts={"out": count},
            panels=tally_panels(tallies),
        )
    return count


def split(
    manifest: Manifest, out: Path, shares: Mapping[str, float] | None = None, *, seed: int = 0
) -> dict[str, int]:
    """Divides a manifest into `out/NAME`: by share, or else as its publisher does.

    Args:
        manifest: What is divided; it is read twice.
        out: Folder in which the parts appear together.
        shares: Name of each part and its share; None for the publisher's division.
        seed: Another seed, another division by share.

    Returns:
        How many records each part holds.

    Raises:
        SettingsError: The shares do not add up to 1, or cannot name a folder.
        DataError: The publisher names no split, or one that cannot name a folder.
    """
    side = by_share(shares, seed) if shares else by_publisher
    making = Making(
        command="lingshu manifest split",
        inputs=(manifest.digest(),),
        settings={"seed": seed, **_told(shares)} if shares else {},
    )
    if making.is_done(out):
        return {path.name: len(Manifest(path)) for path in sorted(out.iterdir()) if path.is_dir()}
    started = time.monotonic()
    tallies = {name: Tally() for name in _names(manifest, shares, side)}
    with fresh_folder(out) as folder:
        _divide(manifest, folder, making, side, tallies)
        counts = {name: tally.records for name, tally in tallies.items()}
        making.publish(
            folder,
            title=f"A manifest in {len(counts)} parts",
            seconds=time.monotonic() - started,
            counts=counts,
            panels=tally_panels(tallies),
        )
    return counts


def _told(shares: Mapping[str, float]) -> dict[str, float]:
    return {f"share of {name}": share for name, share in shares.items()}


def _names(manifest: Manifest, shares: Mapping[str, float] | None, side: _Side) -> list[str]:
    # A share that happens to be empty is a part all the same: whoever reads it next expects it.
    return sorted(shares or {_name(side, record, manifest) for record in manifest})


def _divide(
    manifest: Manifest, folder: Path, making: Making, side: _Side, tallies: Mapping[str, Tally]
) -> None:
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                ManifestWriter(
                    folder / name, producer=making.producer(), parents=[manifest.parent()]
                )
            )
            for name in tallies
        }
        for record in progress(manifest, f"split {manifest.path}", _count(manifest)):
            name = _name(side, record, manifest)
            writers[name].write(record, source=manifest)
            tallies[name].add(record)


def by_publisher(record: RecordBase) -> str:
    """Returns the publisher's split of a record; DataError where it has none."""
    if record.source.split is None:
        raise DataError(
            "the publisher names no split; divide by --share",
            field="source.split",
            record=record.id,
        )
    return record.source.split


def by_share(shares: Mapping[str, float], seed: int) -> _Side:
    """Returns a division by share that never parts records of one group.

    The side of a group follows from its name and the seed alone: adding records later moves none
    of the others. A record without a group is a group of its own.

    Args:
        shares: Name of each part and its share; they add up to 1.
        seed: Another seed gives another division.

    Raises:
        SettingsError: The shares do not add up to 1, or a name cannot name a folder.
    """
    odd = [name for name in shares if not _FOLDER.fullmatch(name)]
    if odd:
        raise SettingsError(f"{odd[0]!r} cannot name a part: use letters, digits, `.`, `_`, `-`")
    if not (abs(sum(shares.values()) - 1) < 1e-9 and all(s > 0 for s in shares.values())):
        raise SettingsError(f"the shares {dict(shares)} have to be positive and add up to 1")

    def side(record: RecordBase) -> str:
        key = f"{seed}\0{record.source.dataset}\0{record.source.group or record.id}"
        place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
        reached = 0.0
        for name, share in shares.items():
            reached += share
            if place < reached:
                return name
        return list(shares)[-1]

    return side


def _name(side: _Side, record: RecordBase, manifest: Manifest) -> str:
    try:
        name = side(record)
    except DataError as error:
        raise error.within(manifest.path) from None
    if not _FOLDER.fullmatch(name):
        raise DataError(
            f"{name!r} cannot name a folder; divide by --share",
            path=manifest.path,
            field="source.split",
            record=record.id,
        )
    return name


def _refuse_repeated(manifests: Sequence[Manifest], ids: Ids) -> None:
    keys = ids.repeated()
    first: dict[str, Path] = {}
    for manifest in manifests if keys else ():
        for record in manifest:
            if record.id in first:
                raise DataError(
                    f"this id stands in {first[record.id]} too, and in one manifest it stands once",
                    path=manifest.path,
                    field="id",
                    record=record.id,
                )
            if Ids.key(record.id) in keys:
                first[record.id] = manifest.path


def _count(manifest: Manifest) -> int | None:
    return manifest.header.count if manifest.header else None
