"""Parquet as the Hugging Face hub lays it out; pictures embedded; nothing is lost.

`datasets.load_dataset(FOLDER)` reads it: `images` are pictures there, `messages` a conversation.
The column `record` holds the record itself, which is what reading back uses. Needs the extra
`lingshu-core[parquet]`.
"""

import hashlib
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from lingshu_core.converter import Converter, Importing, conversation
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest
from lingshu_core.records import RECORD, Imaging, Prediction, RecordBase, Score, dump_line

_ROWS = 1000
"""Rows a group: with pictures some tens of megabytes."""
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
    rows: list[dict[str, Any]] = []
    with parquet.ParquetWriter(path, schema) as writer:
        for record in manifest:
            rows.append(_row(record, manifest))
            count += 1
            if len(rows) >= _ROWS:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                rows.clear()
        if rows or count == 0:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return count


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
    """Yields the records of a parquet file, or of a folder of them, that `write` made."""
    pa, parquet = _arrow()
    paths = (
        sorted(importing.path.rglob("*.parquet")) if importing.path.is_dir() else [importing.path]
    )
    if not paths:
        raise DataError("holds no .parquet file", path=importing.path)
    for path in paths:
        try:
            file = parquet.ParquetFile(path)
            batches = file.iter_batches(_ROWS, columns=["images", "files", "record"])
            for batch in batches:
                yield from _records(batch.to_pylist(), importing)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"cannot be read as a manifest's parquet: {error}", path=path) from None


def _records(rows: list[dict[str, Any]], importing: Importing) -> Iterator[RecordBase]:
    for row in rows:
        record: RecordBase = RECORD.validate_json(row["record"], strict=True)
        blobs = [*row["images"], *row["files"]]
        for ref, blob in zip(record.files(), blobs, strict=True):
            if hashlib.sha256(blob["bytes"]).hexdigest() != ref.sha256:
                raise DataError("a picture was changed", path=importing.path, record=record.id)
            importing.writer.put_file(ref, blob["bytes"])
        yield record


CONVERTER = Converter("Parquet as the Hugging Face hub lays it out, pictures embedded", write, read)
