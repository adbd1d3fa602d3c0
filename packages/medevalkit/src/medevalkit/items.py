"""The items of a task as a run asks them: a file beside the answers, read again by scoring."""

import re
from array import array
from collections.abc import Iterator
from pathlib import Path

from lingshu_core.manifest import Manifest
from lingshu_core.records import RECORD, Dialogue, Question, RecordBase, Report

ASKED = (Question, Report, Dialogue)
_PICTURE = re.compile(rb'"images":\[\{[^}]*?"sha256":"([0-9a-f]{64})"')
_ROTATION = "rotation"
ROTATION_OF = "rotation_of"
"""Tag of a rotation: the id of the record that was turned."""


class Items:
    """The items of one task in a run folder, in the order of the task."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[RecordBase]:
        """Yields the items in the order of the task."""
        yield from Manifest(self.path)

    def by_picture(self) -> Iterator[RecordBase]:
        """Yields the items that share their first picture one after another.

        A picture then has to be decoded once, and an engine finds it in its cache. Pictures come in
        the order in which the task shows them first, items without one where they stand.
        """
        validate = RECORD.validator.validate_json
        with self.path.open("rb") as file:
            for offset in _grouped(self.path):
                file.seek(offset)
                yield validate(file.readline(), strict=True)


def write_items(
    manifest: Manifest,
    path: Path,
    *,
    limit: int | None = None,
    shard: tuple[int, int] | None = None,
    circular: bool = False,
) -> int:
    """Writes what is asked of a task and returns how many items that is.

    Args:
        manifest: The task; records that cannot be asked are left out.
        path: The file to write.
        limit: Only so many of the first records.
        shard: `(i, n)`: of these only every n-th, from the i-th.
        circular: Every choice once for each rotation of its options.
    """
    count = 0
    side = path.with_name(f".{path.name}.partial")
    side.parent.mkdir(parents=True, exist_ok=True)
    with side.open("wb") as file:
        for item in selected(manifest, limit, shard, circular=circular):
            file.write(RECORD.serializer.to_json(item, exclude_none=True) + b"\n")
            count += 1
    side.replace(path)
    return count


def rotations(record: RecordBase) -> Iterator[RecordBase]:
    """Yields a choice with its options turned round by 0, 1, … places, anything else as it is.

    A model that knows the answer names it wherever it stands (circular evaluation, as MMBench
    does it).
    """
    if not isinstance(record, Question) or record.answer_kind != "choice":
        yield record
        return
    letters = [option.letter for option in record.options]
    texts = [option.text for option in record.options]
    for turn in range(len(letters)):
        turned = dict(zip(letters, texts[turn:] + texts[:turn], strict=True))
        moved = {old: letters[(at - turn) % len(letters)] for at, old in enumerate(letters)}
        answer = None if record.answer is None else "".join(sorted(moved[x] for x in record.answer))
        yield record.replace(
            id=f"{record.id}#{turn}",
            options=tuple({"letter": letter, "text": text} for letter, text in turned.items()),
            answer=answer,
            gold=None,
            tags={**record.tags, _ROTATION: str(turn), ROTATION_OF: record.id},
        )


def rotated_from(record: RecordBase) -> str | None:
    """Returns the id of the record that an item is a rotation of; None where it is none."""
    return record.tags.get(ROTATION_OF)


def kind_of(record: RecordBase) -> str:
    """Returns `choice`, `closed`, `open`, `report` or `dialogue`."""
    return record.answer_kind if isinstance(record, Question) else record.type


def selected(
    manifest: Manifest, limit: int | None, shard: tuple[int, int] | None, *, circular: bool
) -> Iterator[RecordBase]:
    """Yields what is asked of a task; the arguments are those of `write_items`."""
    number = -1
    for record in manifest:
        if not isinstance(record, ASKED):
            continue
        number += 1
        if limit is not None and number >= limit:
            return
        if shard is None or number % shard[1] == shard[0]:
            yield from rotations(record) if circular else (record,)


def _grouped(path: Path) -> list[int]:
    """Returns where the lines begin, those with the same first picture side by side."""
    first: dict[bytes, int] = {}
    starts, groups = array("q"), array("q")
    offset = 0
    with path.open("rb", buffering=1 << 20) as file:
        for number, line in enumerate(file):
            found = _PICTURE.search(line)
            groups.append(first.setdefault(found[1], number) if found else number)
            starts.append(offset)
            offset += len(line)
    order = sorted(range(len(starts)), key=groups.__getitem__)
    return [starts[index] for index in order]
