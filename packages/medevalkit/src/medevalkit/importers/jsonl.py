"""Plain JSON lines: `question`, `options`, `answer` and `response`, or `id` and `response`."""

from medevalkit.fields import answer_of, options_of, question_of
from medevalkit.importer import Importer, Loose, Raw
from medevalkit.rawfiles import read_rows

_TAKEN = frozenset(
    [
        *("id", "question", "options", "choices", "answer", "gold", "response", "kind", "error"),
        *("findings", "impression", "language"),
    ]
)


def _loose(row: Raw) -> Loose:
    said = row["response"]
    return Loose(
        response=said or "",
        question=question_of(row),
        answer=answer_of(row),
        options=options_of(row),
        kind=row.get("kind"),
        findings=row.get("findings") or "",
        impression=row.get("impression") or "",
        language=row.get("language") or "en",
        item=None if row.get("id") is None else str(row["id"]),
        error=row.get("error") or (None if said is not None else "there is no response"),
        tags={name: str(row[name]) for name in row if name not in _TAKEN and row[name] is not None},
    )


IMPORTER = Importer(
    "JSON lines with question, options, answer, response; or id, response", read_rows, _loose
)
