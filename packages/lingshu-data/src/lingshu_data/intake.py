"""The desk where rows become records: pictures are stored, ids and sources filled in."""

import hashlib
import os
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from lingshu_core.digest import record_id
from lingshu_core.errors import DataError
from lingshu_core.files import resolve_inside
from lingshu_core.modality import Modality
from lingshu_core.records import FileRef, Image, Operation, RecordBase, Source
from lingshu_data.hub import Snapshot
from lingshu_data.pictures import Stored, to_store

R = TypeVar("R", bound=RecordBase)

PACKAGE = "lingshu-data"


def operation(name: str, settings: str | None = None) -> Operation:
    """Returns one of this package's operations as provenance."""
    return Operation(package=PACKAGE, version=version(PACKAGE), operation=name, settings=settings)


class MissingFile(DataError):
    """A row names a file that this copy of the dataset does not have."""


class Intake:
    """What a source needs to make records of rows.

    Args:
        source: Dataset, licence and rank; split and group are filled in by `make`.
        root: Folder of the dataset.
        store: Folder that becomes the manifest's, where files are put by their content.
        settings: The source's settings.
        defaults: Fields that every record of the source has: domain, language.
    """

    def __init__(
        self,
        source: Source,
        root: Path,
        store: Path,
        settings: Any = None,
        defaults: dict[str, Any] | None = None,
    ) -> None:
        self.root = root
        self.settings = settings
        self.notes: Counter[str] = Counter()
        """What was left out of records that were made: `box without area` and the like."""
        self._source = source
        self._store = store
        self._defaults = defaults or {}
        self._provenance = (operation(f"ingest {source.dataset}"),)
        snapshot = Snapshot.at(root)
        # The hub's cache is left as it is found: its links lead to blobs beside the snapshot.
        self._bounds = (snapshot.folder if snapshot else root).resolve()
        self._below = f"snapshots/{snapshot.commit}/" if snapshot else ""

    def path(self, *candidates: str) -> Path:
        """Returns the first of some paths below the root that is a file; MissingFile if none is."""
        for candidate in candidates:
            # Most candidates of a copy are not there, and looking is cheaper than resolving.
            full = os.path.join(self.root, candidate)  # noqa: PTH118  five times as fast
            if os.path.isfile(full):  # noqa: PTH113
                resolve_inside(self.root, f"{self._below}{candidate}", real_root=self._bounds)
                return Path(full)
        raise MissingFile(f"there is no file {candidates[0]!r}")

    def picture(self, what: str | bytes | Stored, **place: Any) -> Image:
        """Stores a picture.

        Args:
            what: A path below the root, or several with `|` between of which the first that is
                there is taken; the bytes of a file; or an encoded picture.
            place: `frame`, `slice` and `volume` where it was cut out of something.

        Raises:
            DataError: There is no such file, or it is no picture.
        """
        if isinstance(what, str):
            what = self.path(*what.split("|")).read_bytes()
        stored = to_store(what) if isinstance(what, bytes) else what
        ref = self.file(stored.data, suffix=stored.suffix, folder="images")
        return Image(
            path=ref.path, sha256=ref.sha256, width=stored.width, height=stored.height, **place
        )

    def file(self, data: bytes, *, suffix: str, folder: str = "files") -> FileRef:
        """Stores a file under the name of its content."""
        sha = hashlib.sha256(data).hexdigest()
        ref = FileRef(path=f"{folder}/{sha[:2]}/{sha}{suffix}", sha256=sha)
        put_whole(self._store / ref.path, data)
        return ref

    def group(self, *names: str) -> str:
        """Returns names that must not be parted by a split as a hash without meaning."""
        joined = "\0".join((self._source.dataset, *names))
        return hashlib.sha256(joined.encode()).hexdigest()[:16]

    def note(self, what: str) -> None:
        """Counts something that was left out of a record."""
        self.notes[what] += 1

    def make(
        self,
        kind: type[R],
        *key: str,
        split: str | None = None,
        group: str | None = None,
        licence: str | None = None,
        **fields: Any,
    ) -> R:
        """Makes a record.

        Args:
            kind: Its class.
            key: What tells it from its neighbours beside its pictures: texts, a publisher's key.
            split: The publisher's split.
            group: Hashed name of what must stay together.
            licence: Of this record, where its dataset has several.
            fields: The fields of the record; modality is `text` without pictures, and unknown
                with pictures where none is given.

        Raises:
            DataError: A field does not fit; the message names it.
        """
        images = tuple(fields.get("images", ()))
        volume = fields.get("volume")
        hashes = [image.sha256 for image in images] + ([volume.sha256] if volume else [])
        pictured = Modality.UNKNOWN if images or volume else Modality.TEXT
        values = {"modality": pictured, **self._defaults, **fields}
        try:
            return kind(
                id=record_id(self._source.dataset, kind.__name__, *hashes, *key),
                source=self._source.model_copy(
                    update={
                        "split": split,
                        "group": group,
                        "licence": licence or self._source.licence,
                    }
                ),
                provenance=self._provenance,
                **values,
            )
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            field = ".".join(str(step) for step in first["loc"])
            raise DataError(first["msg"].removeprefix("Value error, "), field=field) from None


def put_whole(target: Path, data: bytes) -> None:
    """Writes a file under its own name only when it is whole; an existing one is left alone."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    side = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        side.write_bytes(data)
        side.replace(target)
    finally:
        side.unlink(missing_ok=True)
