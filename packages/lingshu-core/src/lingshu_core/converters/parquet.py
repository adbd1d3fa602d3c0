"""Parquet as the Hugging Face hub lays it out; pictures embedded; nothing is lost.

`datasets.load_dataset(FOLDER)` reads it: `images` are pictures there, `messages` a conversation.
The column `record` holds the record itself, which is what reading back uses. Where there is none,
as in other people's files, `messages` or `conversations` with `images` or `image` are read. Needs
the extra `lingshu-core[parquet]`.
"""

import hashlib
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from lingshu_core.converter import Converter, Importing, conversation, item_name
from lingshu_core.converters.sharegpt import turns_of
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.records import RECORD, Image, Imaging, Prediction, RecordBase, Score, dump_line

_ROWS = 1000
_BYTES = 64 << 20
"""A row group ends with whichever is reached first."""
_READ_ROWS = 64
_NO_MESSAGES = (Imaging, Prediction, Score)
_TEXT = {"dtype": "string", "_type": "Value"}
_FEATURES = {
    "id": _TEXT,
    "type": _TEXT,
    "dataset": _TEXT,
    "modality": _TEXT,
    "images": {"feature": {"_type": "Image"}, "_type": "List"},
    "messages": {"feature": {"role": _TEXT, "content": _TEXT}, "_type": "List"},
    "files": {
        "feature": {"path": _TEXT, "bytes": {"dtype": "binary", "_type": "Value"}},
        "_type": "List",
    },
    "record": _TEXT,
}


def _arrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise SettingsError("parquet needs pyarrow: pip install 'lingshu-core[parquet]'") from None


def _schema(pa: Any) -> Any:
    blob = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    other = pa.struct([("path", pa.string()), ("bytes", pa.binary())])
    fields = [(name, pa.string()) for name in ("id", "type", "dataset", "modality")]
    fields += [("images", pa.list_(blob)), ("messages", pa.list_(turn)), ("files", pa.list_(other))]
    info = json.dumps({"info": {"features": _FEATURES}})
    return pa.schema([*fields, ("record", pa.string())], metadata={"huggingface": info})


def write(manifest: Manifest, folder: Path) -> int:
    """Writes `data/train-00000-of-00001.parquet` into a folder."""
    pa, parquet = _arrow()
    path = folder / "data" / "train-00000-of-00001.parquet"
    path.parent.mkdir()
    schema = _schema(pa)
    count = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for rows in _groups(manifest):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            count += len(rows)
    return count


def _groups(manifest: Manifest) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    size = 0
    for record in manifest:
        row = _row(record, manifest)
        rows.append(row)
        size += sum(len(blob["bytes"]) for blob in (*row["images"], *row["files"]))
        if len(rows) >= _ROWS or size >= _BYTES:
            yield rows
            rows, size = [], 0
    yield rows


def _row(record: RecordBase, manifest: Manifest) -> dict[str, Any]:
    blobs = [
        {"bytes": manifest.file(ref, record=record.id).read_bytes(), "path": ref.path}
        for ref in record.files()
    ]
    turns = [] if isinstance(record, _NO_MESSAGES) else conversation(record)
    return {
        "id": record.id,
        "type": record.type,
        "dataset": record.source.dataset,
        "modality": record.modality.value,
        "images": blobs[: len(record.images)],
        "messages": [{"role": message.role, "content": text} for message, text in turns],
        "files": blobs[len(record.images) :],
        "record": dump_line(record).decode(),
    }


def read(importing: Importing) -> Iterator[RecordBase]:
    """Yields the records of a parquet file, or of a folder of them."""
    found = importing.path
    paths = sorted(found.rglob("*.parquet")) if found.is_dir() else [found]
    if not paths:
        raise DataError("holds no .parquet file", path=found)
    for path in paths:
        for number, row in enumerate(_rows(path), 1):
            with importing.at(record=item_name(row, number)):
                record = _own(row, importing) if "record" in row else _other(row, importing)
            yield record


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    pa, parquet = _arrow()
    try:
        for batch in parquet.ParquetFile(path).iter_batches(_READ_ROWS):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"cannot be read as parquet: {error}", path=path) from None


def _own(row: dict[str, Any], importing: Importing) -> RecordBase:
    record: RecordBase = RECORD.validate_json(row["record"], strict=True)
    blobs = [*(row["images"] or []), *(row["files"] or [])]
    if len(blobs) != len(record.files()):
        raise DataError(f"has {len(blobs)} pictures, {len(record.files())} expected")
    for ref, blob in zip(record.files(), blobs, strict=True):
        if hashlib.sha256(blob["bytes"] or b"").hexdigest() != ref.sha256:
            raise DataError("a picture was changed", field="images")
        importing.writer.put_file(ref, blob["bytes"])
    return record


def _other(row: dict[str, Any], importing: Importing) -> RecordBase:
    if "messages" not in row and "conversations" not in row:
        raise DataError("there is no column `record`, `messages` or `conversations`")
    blobs = row.get("images") or [row[name] for name in ("image",) if row.get(name)]
    return importing.conversation(turns_of(row), tuple(_image(blob, importing) for blob in blobs))


def _image(blob: dict[str, Any], importing: Importing) -> Image:
    if blob.get("bytes") is None:
        return importing.add_image(blob["path"])
    suffix = Path(blob.get("path") or "").suffix.lower() or ".png"
    return importing.add_bytes(blob["bytes"], suffix=suffix)


CONVERTER = Converter("Parquet as the Hugging Face hub lays it out, pictures embedded", write, read)
