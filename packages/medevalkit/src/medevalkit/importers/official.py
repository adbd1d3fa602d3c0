"""`results.json` of the official MedEvalKit: a list of samples with the response in each."""

from collections.abc import Iterator
from pathlib import Path

from lingshu_core.errors import DataError
from medevalkit.fields import answer_of, options_of, question_of
from medevalkit.importer import Importer, Loose, Raw
from medevalkit.rawfiles import read_json


def _rows(path: Path) -> Iterator[Raw]:
    found = read_json(path)
    if not isinstance(found, list):
        raise DataError("is no list of samples: the kit calls such a file results.json", path=path)
    yield from found


def _loose(row: Raw) -> Loose:
    # PubMedQA keeps the publisher's fields one level down.
    inner = {**row, **row["data"]} if isinstance(row.get("data"), dict) else row
    said = inner["response"]
    if "findings" in inner or "impression" in inner:
        return Loose(
            response=said or "",
            findings=inner.get("findings") or "",
            impression=inner.get("impression") or "",
            kind="report",
        )
    options = options_of(inner)
    closed = str(inner.get("answer_type", "")).upper() == "CLOSED" and not options
    return Loose(
        response=said or "",
        question=question_of(inner),
        # What the kit itself compares with comes first.
        answer=inner.get("answer") or answer_of(inner),
        options=options,
        kind="closed" if closed else None,
        language=str(inner.get("q_lang") or "en"),
        error=None if said is not None else "the kit has no response",
        tags={
            name: str(inner[name])
            for name in ("question_type", "modality_type", "medical_task", "field", "difficulty")
            if inner.get(name)
        },
    )


IMPORTER = Importer("results.json of the official MedEvalKit", _rows, _loose)
