"""Checks a whole manifest: header, hashes, counts, every record, every file of every record."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from lingshu_core.digest import file_sha256
from lingshu_core.errors import DataError
from lingshu_core.ids import Ids
from lingshu_core.manifest import Manifest, broken_line, named_files, open_part
from lingshu_core.records import RECORD, RecordBase
from lingshu_core.tally import Tally

_MOST_FAULTS = 20


@dataclass
class Findings(Tally):
    """What a check found, and the counts of the records that are good."""

    faults: list[DataError] = field(default_factory=list)
    """The first 20; each names file, line and field."""

    def full(self) -> bool:
        """Says whether so many faults were found that looking on makes no sense."""
        return len(self.faults) >= _MOST_FAULTS


def validate(manifest: Manifest, *, deep: bool = False) -> Findings:
    """Reads every record and looks at every file it names, in memory that does not grow.

    Args:
        manifest: What is checked.
        deep: Whether the content of every picture is hashed too.

    Returns:
        The counts, and the faults in the order of the lines; it stops after 20 faults.
    """
    found = Findings()
    with Ids() as ids:
        _check_parts(manifest, found, ids, deep=deep)
        if not found.faults:
            found.faults += [*_miscounted(manifest, found), *_repeated(manifest, ids)]
    del found.faults[_MOST_FAULTS:]
    return found


def _check_parts(manifest: Manifest, found: Findings, ids: Ids, *, deep: bool) -> None:
    for index, part in enumerate(manifest.parts):
        try:
            manifest.verify_part(index)
        except DataError as fault:
            # Reading on finds the line, where the damage is in a line.
            found.faults.append(fault)
            if not part.is_file():
                continue
        lines = _check_part(manifest, part, found, ids, deep=deep)
        said = manifest.header.parts[index].count if manifest.header else lines
        if lines != said and not found.full():
            message = f"ends after {lines} records where the header says {said}"
            found.faults.append(DataError(message, path=part, line=lines))


def _check_part(manifest: Manifest, part: Path, found: Findings, ids: Ids, *, deep: bool) -> int:
    number = 0
    with open_part(part) as file:
        for number, line in enumerate(file, 1):
            try:
                record = RECORD.validator.validate_json(line, strict=True)
            except ValidationError as error:
                found.faults.append(broken_line(part, number, error))
            else:
                ids.add(record.id)
                found.add(record)
                _check_files(manifest, record, found, place=(part, number), deep=deep)
            if found.full():
                break
    return number


def _check_files(
    manifest: Manifest,
    record: RecordBase,
    found: Findings,
    *,
    place: tuple[Path, int],
    deep: bool,
) -> None:
    for name, ref in named_files(record):
        try:
            path = manifest.file(ref)
            if deep and file_sha256(path) != ref.sha256:
                raise DataError(f"{ref.path!r} was changed: its hash is not the one recorded")
        except DataError as fault:
            found.faults.append(
                DataError(fault.message, path=place[0], line=place[1], field=name, record=record.id)
            )


def _miscounted(manifest: Manifest, found: Findings) -> Iterator[DataError]:
    said = manifest.header.records if manifest.header else {}
    for name in sorted({*said, *found.types} if manifest.header else ()):
        count = said[name].count if name in said else 0
        if count != found.types[name]:
            yield DataError(
                f"says {count}, and there are {found.types[name]}",
                path=manifest.path,
                field=f"records.{name}.count",
            )


def _repeated(manifest: Manifest, ids: Ids) -> Iterator[DataError]:
    keys = ids.repeated()
    first: dict[str, str] = {}
    for part in manifest.parts if keys else ():
        with open_part(part) as file:
            for number, line in enumerate(file, 1):
                name = RECORD.validator.validate_json(line, strict=True).id
                if Ids.key(name) not in keys:
                    continue
                if name in first:
                    message = f"this id stands twice, first in {first[name]}"
                    yield DataError(message, path=part, line=number, field="id", record=name)
                first.setdefault(name, f"{part.name}:{number}")
