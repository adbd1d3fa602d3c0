"""Checks a whole manifest: header, hashes, counts, every record, every file of every record."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from lingshu_core.digest import file_sha256
from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest, broken_line
from lingshu_core.records import RECORD, RecordBase

_MOST_FAULTS = 20


@dataclass
class Findings:
    """What a check found."""

    records: int = 0
    types: Counter[str] = field(default_factory=Counter)
    modalities: Counter[str] = field(default_factory=Counter)
    datasets: Counter[str] = field(default_factory=Counter)
    faults: list[DataError] = field(default_factory=list)
    """The first 20; each names file, line and field."""


def validate(manifest: Manifest, *, deep: bool = False) -> Findings:
    """Reads every record and looks at every file it names, in memory that does not grow.

    Args:
        manifest: What is checked.
        deep: Whether the content of every picture is hashed too.

    Returns:
        The counts, and the faults in the order of the lines; it stops after 20 faults.
    """
    found = Findings()
    try:
        manifest.verify_parts()
    except DataError as fault:
        # Reading on finds the line, where the damage is in a line.
        found.faults.append(fault)
    for index, part in enumerate(manifest.parts):
        lines = _check_part(manifest, part, found, deep=deep)
        if len(found.faults) >= _MOST_FAULTS:
            return found
        said = manifest.header.parts[index].count if manifest.header else lines
        if lines != said:
            message = f"ends after {lines} records where the header says {said}"
            found.faults.append(DataError(message, path=part, line=lines))
    return found


def _check_part(manifest: Manifest, part: Path, found: Findings, *, deep: bool) -> int:
    number = 0
    with part.open("rb", buffering=1 << 20) as file:
        for number, line in enumerate(file, 1):
            try:
                record = RECORD.validator.validate_json(line, strict=True)
            except ValidationError as error:
                found.faults.append(broken_line(part, number, error))
            else:
                _count(record, found)
                _check_files(manifest, record, found, place=(part, number), deep=deep)
            if len(found.faults) >= _MOST_FAULTS:
                break
    return number


def _count(record: RecordBase, found: Findings) -> None:
    found.records += 1
    found.types[record.type] += 1
    found.modalities[record.modality.value] += 1
    found.datasets[record.source.dataset] += 1


def _check_files(
    manifest: Manifest,
    record: RecordBase,
    found: Findings,
    *,
    place: tuple[Path, int],
    deep: bool,
) -> None:
    for index, ref in enumerate(record.files()):
        try:
            path = manifest.file(ref)
            if deep and file_sha256(path) != ref.sha256:
                raise DataError(f"{ref.path!r} was changed: its hash is not the one recorded")
        except DataError as fault:
            found.faults.append(
                DataError(
                    fault.message,
                    path=place[0],
                    line=place[1],
                    field=f"images.{index}.path" if index < len(record.images) else "files",
                    record=record.id,
                )
            )
