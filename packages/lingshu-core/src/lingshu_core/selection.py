"""Merging manifests and dividing one by what must stay together."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.files import fresh_folder
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import RecordBase


def merge(manifests: Sequence[Manifest], out: Path, producer: Producer) -> int:
    """Writes the records of several manifests into one, in the order given; returns how many."""
    count = 0
    parents = [manifest.parent() for manifest in manifests]
    with ManifestWriter(out, producer=producer, parents=parents) as writer:
        for manifest in manifests:
            for record in manifest:
                writer.write(record, source=manifest)
                count += 1
    return count


def split(
    manifest: Manifest, out: Path, producer: Producer, side: Callable[[RecordBase], str]
) -> dict[str, int]:
    """Divides a manifest into `out/NAME`.

    Args:
        manifest: What is divided; it is read twice.
        out: Folder in which the parts appear together.
        producer: Who divides, with which settings.
        side: Names the part that a record belongs to: `by_share` or `by_publisher`.

    Returns:
        How many records each part holds.
    """
    counts = dict.fromkeys(sorted({side(record) for record in manifest}), 0)
    with fresh_folder(out) as folder, ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                ManifestWriter(folder / name, producer=producer, parents=[manifest.parent()])
            )
            for name in counts
        }
        for record in manifest:
            name = side(record)
            writers[name].write(record, source=manifest)
            counts[name] += 1
    return counts


def by_publisher(record: RecordBase) -> str:
    """Returns the publisher's split of a record; DataError where it has none."""
    if record.source.split is None:
        raise DataError("the publisher names no split; divide by --share", record=record.id)
    return record.source.split


def by_share(shares: Mapping[str, float], seed: int) -> Callable[[RecordBase], str]:
    """Returns a division by share that never parts records of one group.

    The side of a group follows from its name and the seed alone: adding records later moves none
    of the others. A record without a group is a group of its own.

    Args:
        shares: Name of each part and its share; they add up to 1.
        seed: Another seed gives another division.

    Raises:
        SettingsError: The shares do not add up to 1.
    """
    if abs(sum(shares.values()) - 1) > 1e-9 or min(shares.values()) <= 0:
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
