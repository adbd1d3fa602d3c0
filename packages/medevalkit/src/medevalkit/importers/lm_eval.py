"""`samples_*.jsonl` of lm-evaluation-harness: one line an item, written with `--log_samples`.

Where the harness compared likelihoods, the response is the letter of the likeliest continuation.
"""

from collections.abc import Sequence
from typing import Any

from lingshu_core.errors import DataError
from medevalkit.fields import options_of, question_of
from medevalkit.importer import Importer, Loose, Raw
from medevalkit.rawfiles import read_rows

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _loose(row: Raw) -> Loose:
    doc, asked = row["doc"], _arguments(row)
    options = options_of(doc)
    said = row["filtered_resps"]
    if not isinstance(said, list) or not said:
        raise DataError("has no response", field="filtered_resps")
    if _is_likelihood(said):
        options = options or tuple(str(one[1]).strip() for one in asked)
        response = _LETTERS[max(range(len(said)), key=lambda n: float(said[n][0]))]
    else:
        response = _text(said[0])
    return Loose(
        response=response,
        question=question_of(doc) or str(asked[0][0] if asked else ""),
        answer=_gold(row["target"], options),
        options=options,
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


IMPORTER = Importer("samples_*.jsonl of lm-evaluation-harness", read_rows, _loose)
