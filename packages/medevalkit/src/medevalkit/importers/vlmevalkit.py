"""Tables of VLMEvalKit: `MODEL_DATASET.xlsx`, `.tsv` or `.json`, a row an item."""

import csv
from collections.abc import Iterator
from pathlib import Path

from lingshu_core.errors import DataError
from medevalkit.extras import needed
from medevalkit.fields import options_of, question_of
from medevalkit.importer import Importer, Loose, Raw
from medevalkit.rawfiles import read_rows

_FAILED = "Failed to obtain answer via API."
"""What the kit writes where an endpoint gave nothing."""
_TAGS = ("category", "l2-category", "split")


def _rows(path: Path) -> Iterator[Raw]:
    if path.suffix == ".xlsx":
        yield from _sheet(path)
    elif path.suffix == ".tsv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file, dialect="excel-tab")
    else:
        yield from read_rows(path)


def _sheet(path: Path) -> Iterator[Raw]:
    book = needed("openpyxl", extra="tables").load_workbook(path, read_only=True, data_only=True)
    try:
        lines = book.active.iter_rows(values_only=True)
        head = [str(cell) for cell in next(lines, ())]
        if "prediction" not in head:
            raise DataError(f"has no column `prediction` but {', '.join(head)}", path=path)
        for line in lines:
            yield dict(zip(head, line, strict=False))
    finally:
        book.close()


def _loose(row: Raw) -> Loose:
    said = row["prediction"]
    failed = said is None or str(said).startswith(_FAILED)
    hint = row.get("hint")
    question = question_of(row)
    return Loose(
        response="" if failed else str(said),
        question=f"{hint}\n{question}" if hint else question,
        answer=str(row["answer"]).strip(),
        options=options_of({name: row[name] for name in row if len(str(name)) == 1}),
        error="VLMEvalKit got no answer" if failed else None,
        tags={name: str(row[name]) for name in _TAGS if row.get(name)},
    )


IMPORTER = Importer("tables of VLMEvalKit (.xlsx, .tsv, .json)", _rows, _loose)
