"""`samples_*.jsonl` of lm-evaluation-harness: one line an item, written with `--log_samples`.

Where the harness compared likelihoods, the response is the letter of the likeliest continuation.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lingshu_core.errors import DataError
from medevalkit.fields import options_of, question_of
from medevalkit.importer import Importer, Loose, Raw
from medevalkit.rawfiles import read_rows

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _rows(path: Path) -> Iterator[Raw]:
    seen = set()
    for row in read_rows(path):
        # A log has an item once for each filter; the responses are the same.
        if row.get("doc_id") is None or row["doc_id"] not in seen:
            seen.add(row.get("doc_id"))
            yield row


def _loose(row: Raw) -> Loose:
    doc, asked = row["doc"], _arguments(row)
    if doc.get("findings") or doc.get("impression"):
        return Loose(
            response=_text(row["resps"][0]),
            findings=doc.get("findings") or "",
            impression=doc.get("impression") or "",
            kind="report",
            error=row.get("error"),
        )
    options = options_of(doc)
    said = row["filtered_resps"]
    if not isinstance(said, list) or not said:
        raise DataError("has no response", field="filtered_resps")
    if _is_likelihood(said):
        options = options or tuple(str(one[1]).strip() for one in asked)
        response = _LETTERS[max(range(len(said)), key=lambda n: float(said[n][0]))]
    else:
        # As the model said it, not as a filter of the harness cut it.
        response = _text((row.get("resps") or said)[0])
    return Loose(
        response=response,
        question=question_of(doc) or str(asked[0][0] if asked else ""),
        answer=_gold(row["target"], options),
        options=options,
        kind=doc.get("answer_kind"),
        language=doc.get("language") or "en",
        error=row.get("error"),
    )


def _is_likelihood(said: Sequence[Any]) -> bool:
    return all(isinstance(one, list) and len(one) == 2 for one in said)


def _text(said: Any) -> str:
    while isinstance(said, list) and said:
        said = said[0]
    return str(said)


def _arguments(row: Raw) -> list[list[Any]]:
    """Returns what each request was given; newer logs name the arguments, older ones list them."""
    found = row.get("arguments") or []
    if isinstance(found, dict):
        return [list(one.values()) for one in found.values()]
    return [list(one) for one in found]


def _gold(target: Any, options: tuple[str, ...]) -> str | int:
    text = str(target).strip()
    if options and text not in options and text.isdigit() and int(text) < len(options):
        return int(text)
    return text


IMPORTER = Importer("samples_*.jsonl of lm-evaluation-harness", _rows, _loose)
